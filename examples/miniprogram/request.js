// Requests to the shop, and the session that they carry.
const config = require('./config');

// The shop keeps its session in a cookie. wx.request has no cookie jar, so the
// cookie is kept here and sent by hand.
const SESSION = 'session';

// Failure is what ask throws. status is the HTTP status, or 0 if there was no
// answer; message is for people.
class Failure extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// promised calls an API of wx that takes success and fail.
function promised(api, options) {
  return new Promise((success, fail) => { api({ ...options, success, fail }); });
}

// ask sends a request to the shop and returns the body of its answer, or throws
// a Failure. Whoever is not signed in (any more) is signed in first, once.
async function ask(method, path, data, header) {
  if (signingIn) await signingIn.catch(() => {}); // the answer will say so
  let response = await send(method, path, data, header);
  if (response.statusCode === 401) {
    await login();
    response = await send(method, path, data, header);
  }
  return bodyOf(response);
}

let signingIn = null;

// login signs in by WeChat. Those who ask for it meanwhile wait for the same
// login: each code of wx.login is good for one exchange.
function login() {
  if (!signingIn) signingIn = signIn().finally(() => { signingIn = null; });
  return signingIn;
}

async function signIn() {
  const { code } = await promised(wx.login).catch(() => {
    throw new Failure(0, '微信登录失败，请稍后再试');
  });
  const response = await send('POST', '/pay/login', { code });
  bodyOf(response);
  wx.setStorageSync(SESSION, cookiesOf(response));
}

// send sends one request with the session that there is.
function send(method, path, data, header = {}) {
  const options = { url: config.baseURL + path, method, data, timeout: 30000 };
  options.header = { 'Content-Type': 'application/json', Cookie: wx.getStorageSync(SESSION), ...header };
  return promised(wx.request, options).catch(() => {
    throw new Failure(0, '网络不通，请稍后再试');
  });
}

// bodyOf is the body of a success. What refuses says why in msg.
function bodyOf({ statusCode, data }) {
  if (statusCode === 200) return data;
  throw new Failure(statusCode, (data && data.msg) || '服务暂时不可用，请稍后再试');
}

// cookiesOf is what the shop set, as a Cookie header gives it back: names and
// values without attributes. Old versions of WeChat have no cookies field.
function cookiesOf({ cookies, header }) {
  const lines = cookies && cookies.length ? cookies : [header['Set-Cookie'] || header['set-cookie'] || ''];
  return lines.map((line) => line.split(';')[0].trim()).filter(Boolean).join('; ');
}

module.exports = { ask, login, promised };
