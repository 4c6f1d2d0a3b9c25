package sqlite

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// checkPath returns the absolute path of a file that SQLite may be given, or
// says in one sentence why not. It does not open the file: closing it again
// would drop the locks that another handle of this process has on it.
func checkPath(path string) (string, error) {
	name, query, _ := strings.Cut(path, "?")
	switch {
	case path == "":
		return "", errors.New("the path is empty; SQLite would keep the orders in a temporary file")
	case name == ":memory:", strings.Contains(path, "mode=memory"):
		return "", errors.New("a database in memory loses every order with the process; give the path of a file")
	case strings.HasPrefix(path, "file:"), strings.HasPrefix(query, "_") && strings.Contains(query, "="):
		return "", errors.New("give a plain path, not a URL or parameters; the settings are fixed")
	case strings.ContainsRune(path, 0):
		return "", errors.New("the path has a NUL in it")
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if dir, err := os.Stat(filepath.Dir(full)); err != nil {
		return "", fmt.Errorf("the directory must exist: %w", err)
	} else if !dir.IsDir() {
		return "", fmt.Errorf("%s is not a directory", filepath.Dir(full))
	}
	return full, checkFile(full)
}

func checkFile(full string) error {
	const anyWrite = 0o222
	info, err := os.Stat(full)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a directory")
	case !info.Mode().IsRegular():
		return fmt.Errorf("it is no regular file (%v)", info.Mode())
	case info.Mode().Perm()&anyWrite == 0:
		return fmt.Errorf("the file is read-only (%v)", info.Mode())
	}
	return nil
}

// dsn names the file as a URI, so that nothing in the path is taken for a
// parameter, and settings are the parameters of the connection.
func dsn(full string, settings url.Values) string {
	path := filepath.ToSlash(full)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/orders.db
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}).String()
}
