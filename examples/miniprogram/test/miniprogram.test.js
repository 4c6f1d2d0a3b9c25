// The mini-program against the example shop and the simulated WeChat Pay, which
// miniprogram_test.go starts.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const { open, control, verified } = require('./phone');

const root = path.dirname(__dirname);

// saw is every note that the customer could read, in order.
function saw(phone) {
  return phone.page.showed.map(({ note }) => note).filter((note, i, all) => note && note !== all[i - 1]);
}

test('cancel, pay again, and be a member', async () => {
  const phone = await open();
  assert.equal(phone.logins, 1);
  assert.deepEqual(phone.requests, ['POST /pay/login 200', 'GET /me 200'], 'nobody asks before the login');
  assert.equal(phone.page.data.vipUntil, '');

  phone.customer = (order) => phone.cancel(order);
  await phone.page.tap('buy', { goods: 'vip-month' });
  assert.equal(phone.page.data.state, 'waiting');
  assert.deepEqual(saw(phone), ['已取消支付']);

  phone.customer = (order) => phone.pay(order);
  await phone.page.tap('payAgain');
  assert.deepEqual(saw(phone), ['已取消支付', '支付成功']);
  assert.equal(phone.page.data.state, 'paid');
  assert.match(phone.page.data.vipUntil, /^20\d\d-\d\d-\d\d$/);
  assert.equal((await phone.me()).grants, 1);

  const [order, ...more] = await phone.orders();
  assert.deepEqual(more, []);
  assert.deepEqual(phone.requests.filter((line) => !line.includes('/me')), [
    'POST /pay/login 200',
    'POST /pay/prepay/miniprogram 200',
    `GET /pay/orders/${order.out_trade_no} 200`,
    'POST /pay/paysign 200',
    `GET /pay/orders/${order.out_trade_no} 200`,
  ]);
  const [first, second] = phone.cashiers;
  assert.notEqual(first.nonceStr, second.nonceStr, 'signed afresh');
  assert.equal(first.package, second.package);
});

test('what the cashier says is no payment', async () => {
  const phone = await open();
  await phone.page.tap('buy', { goods: 'vip-month' }); // "ok", and nothing was paid
  assert.deepEqual(saw(phone), ['正在确认支付结果，请稍后查询']);
  assert.equal(phone.page.data.state, 'waiting');
  assert.equal((await phone.me()).grants, 0);

  await phone.pay((await phone.orders())[0]);
  await phone.page.tap('check');
  assert.equal(phone.page.data.note, '支付成功');
});

test('what the cashier does not say may be one', async () => {
  const phone = await open();
  phone.customer = async (order) => {
    await phone.pay(order);
    throw new Error('requestPayment:fail system error');
  };
  await phone.page.tap('buy', { goods: 'vip-month' });
  assert.deepEqual(saw(phone), ['支付成功']);
});

test('paid while the mini-program was away', async () => {
  const phone = await open();
  phone.customer = (order) => phone.cancel(order);
  await phone.page.tap('buy', { goods: 'vip-month' });
  await phone.pay((await phone.orders())[0]);
  await phone.page.onShow();
  assert.equal(phone.page.data.note, '支付成功');
  assert.equal(phone.storage.has('pending'), false);
});

test('a payment that is paid already is not paid again', async () => {
  const phone = await open();
  phone.customer = (order) => phone.cancel(order);
  await phone.page.tap('buy', { goods: 'vip-month' });
  await phone.pay((await phone.orders())[0]);
  await phone.page.tap('payAgain');
  assert.equal(phone.page.data.note, '支付成功');
  assert.equal(phone.cashiers.length, 1);
});

test('a lost answer makes no second order', async () => {
  const phone = await open();
  phone.customer = (order) => phone.pay(order);
  phone.loses = (path) => path.startsWith('/pay/prepay/');
  await phone.page.tap('buy', { goods: 'vip-month' });
  assert.equal(phone.page.data.note, '网络不通，请稍后再试');
  assert.equal(phone.cashiers.length, 0);
  phone.loses = () => false;

  await phone.page.tap('buy', { goods: 'vip-month' });
  assert.equal(phone.page.data.note, '支付成功');
  assert.equal((await phone.orders()).length, 1);

  await phone.page.tap('buy', { goods: 'vip-month' }); // another wish
  assert.equal((await phone.orders()).length, 2);
});

test('a payment is a payment, whatever else fails', async () => {
  const phone = await open();
  phone.customer = (order) => phone.cancel(order);
  await phone.page.tap('buy', { goods: 'vip-month' });
  await phone.pay((await phone.orders())[0]);
  phone.loses = (path) => path === '/me';
  await phone.page.tap('check');
  assert.equal(phone.page.data.note, '支付成功');
  assert.equal(phone.page.data.state, 'paid');
});

test('two clicks are one', async () => {
  const phone = await open();
  phone.customer = (order) => phone.pay(order);
  await Promise.all([phone.page.tap('buy', { goods: 'vip-month' }), phone.page.tap('buy', { goods: 'vip-month' })]);
  assert.equal((await phone.orders()).length, 1);
});

test('a session that is over is begun again', async () => {
  const phone = await open();
  phone.customer = (order) => phone.pay(order);
  phone.storage.set('session', 'shop_user=');
  await phone.page.tap('buy', { goods: 'vip-month' });
  assert.equal(phone.page.data.note, '支付成功');
  assert.equal(phone.logins, 2);
});

test('all who are not signed in wait for one login', async () => {
  const phone = await open();
  const { ask } = require('../request');
  phone.storage.set('session', '');
  const all = await Promise.all([ask('GET', '/me'), ask('GET', '/me'), ask('GET', '/me')]);
  assert.equal(new Set(all.map(({ user }) => user)).size, 1);
  assert.equal(phone.logins, 2);
});

test('an order that is closed is not offered again', async () => {
  const phone = await open();
  phone.customer = (order) => phone.cancel(order);
  await phone.page.tap('buy', { goods: 'vip-month' });
  const { ask } = require('../request');
  await ask('POST', `/pay/orders/${phone.storage.get('pending')}/close`);
  await phone.page.tap('payAgain');
  assert.equal(phone.page.data.note, '订单已关闭，请重新下单');
  assert.equal(phone.page.data.state, 'closed');
});

test('the order of another customer is forgotten', async () => {
  const phone = await open();
  phone.customer = (order) => phone.cancel(order);
  await phone.page.tap('buy', { goods: 'vip-month' });
  phone.openid += '_other';
  phone.storage.set('session', '');
  await phone.page.onShow();
  assert.equal(phone.page.data.note, '无权操作该订单');
  assert.equal(phone.storage.has('pending'), false);
});

test('what goods cost is what the shop takes', async () => {
  const phone = await open();
  const { ask } = require('../request');
  for (const { id, name, yuan } of phone.page.data.goods) {
    const { data: placed } = await ask('POST', '/pay/prepay/native', { goods_id: id });
    const { data: order } = await ask('GET', '/pay/orders/' + placed.out_trade_no);
    assert.deepEqual([order.description, order.amount], [name, yuan + '元']);
  }
});

test('the page calls what there is, and reads what there is', async () => {
  const phone = await open();
  const wxml = fs.readFileSync(path.join(root, 'pages/index/index.wxml'), 'utf8');
  const handlers = [...wxml.matchAll(/bindtap="(\w+)"/g)].map(([, name]) => name);
  assert.deepEqual([...new Set(handlers)].sort(), ['buy', 'check', 'payAgain']);
  for (const name of handlers) assert.equal(typeof phone.page[name], 'function', name);
  for (const [, name] of wxml.matchAll(/\{\{(\w+)/g)) assert.ok(name === 'item' || name in phone.page.data, name);
});

test('OpenSSL takes no other signature', async () => {
  const phone = await open();
  await phone.page.tap('buy', { goods: 'vip-month' });
  const config = await control('GET', '/_sim/config');
  const [pay] = phone.cashiers;
  const lines = [config.appid, pay.timeStamp, pay.nonceStr, pay.package];
  assert.ok(verified(lines, pay.paySign, config));
  assert.ok(!verified([config.appid, pay.timeStamp, pay.nonceStr, pay.package + '0'], pay.paySign, config));
  assert.ok(!verified([config.appid_app, ...lines.slice(1)], pay.paySign, config));
});
