// Paying by WeChat Pay, in the four steps that every shop has.
const config = require('./config');
const { ask, promised } = require('./request');

// place orders goods. A key is one wish: however often it is sent, it is one
// order. It returns { out_trade_no, pay }.
async function place(goodsID, key) {
  const { data } = await ask('POST', '/pay/prepay/miniprogram', { goods_id: goodsID }, { 'Idempotency-Key': key });
  return data;
}

// again asks for another signature, for an order that was not paid yet.
async function again(outTradeNo) {
  const { data } = await ask('POST', '/pay/paysign', { out_trade_no: outTradeNo });
  return data;
}

// show opens WeChat's cashier with what the shop signed, unread. It says what
// the customer saw: 'ok', 'cancel' or 'fail'. None of them is a proof.
function show(pay) {
  return promised(wx.requestPayment, pay).then(
    () => 'ok',
    ({ errMsg }) => (errMsg === 'requestPayment:fail cancel' ? 'cancel' : 'fail'),
  );
}

// outcome asks the shop what became of the order. Once the customer has seen a
// success WeChat Pay may still need a moment, so that is worth more questions.
async function outcome(outTradeNo, seen) {
  for (let questions = seen === 'ok' ? 6 : 1; ; questions--) {
    const { data: order } = await ask('GET', '/pay/orders/' + encodeURIComponent(outTradeNo));
    if (order.pay_status !== 0 || questions === 1) return order;
    await moment();
  }
}

function moment() {
  return new Promise((go) => { setTimeout(go, config.patience); });
}

// newKey makes a key for one wish. It need only be new for this customer.
function newKey() {
  return Date.now().toString(36) + Math.random().toString(36).slice(2);
}

module.exports = { place, again, show, outcome, moment, newKey };
