// Loaded before the C library, this makes fsync and fdatasync take
// SLOW_SYNC_US microseconds longer.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int slowly(const char *name, int fd) {
	const char *us = getenv("SLOW_SYNC_US");
	if (us != NULL) usleep(atoi(us));
	int (*sync)(int) = dlsym(RTLD_NEXT, name);
	return sync(fd);
}

int fsync(int fd) { return slowly("fsync", fd); }
int fdatasync(int fd) { return slowly("fdatasync", fd); }
