module.exports = {
  // Where the shop is. In earnest it is https, on a domain that the
  // mini-program names as its request 合法域名, and urlCheck in
  // project.config.json is true.
  baseURL: 'http://127.0.0.1:8080',

  // Milliseconds between two questions about one thing.
  patience: 1500,
};
