// A phone with WeChat on it, as far as this mini-program can tell: it signs in,
// talks to the shop over real HTTP, and pays at the simulated WeChat Pay.
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');

const root = path.dirname(__dirname);
const simulator = process.env.WXPAY_PHONE.replace(/\/$/, '');

// open starts the mini-program on a phone of somebody who was never here.
async function open() {
  for (const file of Object.keys(require.cache)) {
    if (file.startsWith(root) && !file.startsWith(__dirname)) delete require.cache[file];
  }
  Object.assign(require('../config'), { baseURL: process.env.WXPAY_SHOP.replace(/\/$/, ''), patience: 100 });
  const phone = new Phone();
  global.wx = phone.wx();
  global.App = (app) => { phone.app = app; };
  global.Page = (page) => { phone.page = new Shown(page); };
  require('../app');
  phone.app.onLaunch();
  require('../pages/index/index');
  await phone.page.onShow();
  return phone;
}

// Shown is a page on the screen; it remembers what it showed.
class Shown {
  constructor(page) {
    Object.assign(this, page, { data: structuredClone(page.data), showed: [] });
  }

  setData(change) {
    Object.assign(this.data, change);
    this.showed.push({ ...this.data });
  }

  tap(handler, dataset = {}) {
    return this[handler]({ currentTarget: { dataset } });
  }
}

let customers = 0;

class Phone {
  constructor() {
    this.openid = 'oTest_' + process.pid + '_' + customers++;
    this.storage = new Map();
    this.requests = []; // "GET /me 200", in order
    this.logins = 0;
    this.cashiers = []; // what wx.requestPayment was given
    this.customer = async () => {}; // what the customer does at the cashier; throws errMsg
    this.loses = () => false; // which paths' answers get lost on their way
  }

  wx() {
    return {
      getStorageSync: (key) => this.storage.get(key) ?? '',
      setStorageSync: (key, value) => this.storage.set(key, value),
      removeStorageSync: (key) => this.storage.delete(key),
      login: callback(async () => {
        this.logins++;
        return { errMsg: 'login:ok', ...(await control('POST', '/_sim/login', { openid: this.openid })) };
      }),
      request: callback((options) => this.request(options)),
      requestPayment: callback((options) => this.requestPayment(options)),
    };
  }

  async request({ url, method, data, header }) {
    const headers = { ...header, Referer: 'https://servicewechat.com/touristappid/devtools/page-frame.html' };
    const response = await exchange(method, url, headers, data);
    this.requests.push(`${method} ${new URL(url).pathname} ${response.statusCode}`);
    if (this.loses(new URL(url).pathname)) throw new Error('request:fail timeout');
    return response;
  }

  // requestPayment is WeChat's cashier: it takes nothing but the shop's own
  // signature over the very order, and then asks the customer.
  async requestPayment({ success, fail, ...pay }) {
    assert.deepEqual(Object.keys(pay).sort(), ['nonceStr', 'package', 'paySign', 'signType', 'timeStamp']);
    assert.equal(pay.signType, 'RSA');
    assert.ok(Math.abs(Date.now() / 1000 - Number(pay.timeStamp)) < 300, 'timeStamp is not now');
    const config = await control('GET', '/_sim/config');
    assert.ok(verified([config.appid, pay.timeStamp, pay.nonceStr, pay.package], pay.paySign, config), 'paySign');
    const { orders } = await control('GET', '/_sim/orders');
    const order = orders.find(({ prepay_id: id }) => pay.package === 'prepay_id=' + id);
    assert.ok(order, pay.package + ' is no order');
    this.cashiers.push(pay);
    await this.customer(order);
    return { errMsg: 'requestPayment:ok' };
  }

  // pay is the customer who pays; cancel the one who does not.
  async pay({ out_trade_no }) {
    await control('POST', '/_sim/pay', { out_trade_no, openid: this.openid });
  }

  async cancel({ out_trade_no }) {
    await control('POST', '/_sim/cancel', { out_trade_no });
    throw new Error('requestPayment:fail cancel');
  }

  // orders are this customer's at WeChat Pay.
  async orders() {
    const { orders } = await control('GET', '/_sim/orders');
    return orders.filter(({ openid }) => openid === this.openid);
  }

  // me is what the shop says of whoever has this session.
  async me() {
    const session = { Cookie: this.storage.get('session') };
    return (await exchange('GET', process.env.WXPAY_SHOP.replace(/\/$/, '') + '/me', session)).data;
  }
}

// callback is an API of wx with success and fail. What a test asserts in it
// fails the test, whatever the mini-program makes of it.
function callback(work) {
  return (options) => {
    work(options).then(options.success, (problem) => {
      if (problem instanceof assert.AssertionError) throw problem;
      options.fail({ errMsg: problem.message });
    });
  };
}

// verified asks OpenSSL, which knows nothing of the kit, with the public key
// that belongs to the merchant.
function verified(lines, signature, { private_key_pem: key }) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'paysign-'));
  const file = (name, content) => {
    fs.writeFileSync(path.join(dir, name), content);
    return path.join(dir, name);
  };
  try {
    const pub = file('pub.pem', execFileSync('openssl', ['pkey', '-pubout'], { input: key }));
    const sig = file('sig', Buffer.from(signature, 'base64'));
    const message = lines.map((line) => line + '\n').join('');
    execFileSync('openssl', ['dgst', '-sha256', '-verify', pub, '-signature', sig], { input: message, stdio: 'pipe' });
    return true;
  } catch (problem) {
    if (problem.status === 1) return false; // Verification failure
    throw problem;
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

async function control(method, what, body) {
  const { statusCode, data } = await exchange(method, simulator + what, { 'Content-Type': 'application/json' }, body);
  assert.equal(statusCode, 200, `${what}: ${JSON.stringify(data)}`);
  return data;
}

// exchange answers as wx.request does.
function exchange(method, url, headers, body) {
  return new Promise((done, fail) => {
    const request = http.request(url, { method, headers }, async (response) => {
      try {
        let text = '';
        for await (const chunk of response.setEncoding('utf8')) text += chunk;
        const cookies = response.headers['set-cookie'] ?? [];
        done({ statusCode: response.statusCode, data: JSON.parse(text), header: response.headers, cookies });
      } catch (problem) {
        fail(problem);
      }
    });
    request.on('error', fail);
    request.end(body && JSON.stringify(body));
  });
}

module.exports = { open, control, verified };
