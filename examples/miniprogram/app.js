const { login } = require('./request');

App({
  // Signing in is silent, so it is done before anybody asks for anything. What
  // fails here is tried again with the first request.
  onLaunch() {
    login().catch(() => {});
  },
});
