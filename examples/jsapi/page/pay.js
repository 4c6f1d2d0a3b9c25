// Paying on a page inside WeChat (JSAPI).
"use strict";

const buy = document.getElementById("buy");
const again = document.getElementById("again");
const note = document.getElementById("note");

// The order that waits to be paid. It outlives this page, which the customer
// may leave and open again.
let order = sessionStorage.getItem("order");

// A key is one wish: however often it is sent, it is one order.
let key = newKey();

buy.addEventListener("click", () => act(async () => {
  const placed = await place();
  remember(placed.out_trade_no);
  await pay(placed.pay);
}));

again.addEventListener("click", () => act(async () => {
  const signed = await ask("POST", "/pay/paysign", { out_trade_no: order });
  await pay(signed.pay);
}));

show();
follow();

async function place() {
  try {
    const placed = await ask("POST", "/pay/prepay/jsapi", { goods_id: "tea" }, { "Idempotency-Key": key });
    key = newKey();
    return placed;
  } catch (problem) {
    if (problem.status < 500) key = newKey(); // refused; else it may be placed, and is asked for again
    throw problem;
  }
}

// pay opens WeChat's cashier with what the shop signed, unread. What comes back
// is what the customer saw, and no proof: only the order's status counts.
async function pay(signed) {
  const bridge = await weixin();
  const seen = await new Promise((go) => {
    bridge.invoke("getBrandWCPayRequest", signed, (answer) => go(answer.err_msg));
  });
  if (!order) return; // what became of it is shown already
  say({
    "get_brand_wcpay_request:ok": "正在确认支付结果……",
    "get_brand_wcpay_request:cancel": "已取消支付",
  }[seen] || "支付没有完成");
  await look();
}

// weixin is WeChat's bridge, which may come later than this page. Elsewhere it
// never comes.
function weixin() {
  if (window.WeixinJSBridge) return window.WeixinJSBridge;
  say("请在微信中打开本页");
  return new Promise((go) => {
    document.addEventListener("WeixinJSBridgeReady", () => go(window.WeixinJSBridge), { once: true });
  });
}

// look shows how the order ended, if it has.
async function look() {
  const no = order;
  const { pay_status: status } = await ask("GET", "/pay/orders/" + encodeURIComponent(no)).catch((problem) => {
    if (problem.status === 403 || problem.status === 404) remember(null); // not this customer's, by now
    throw problem;
  });
  if (status === 0 || no !== order) return;
  remember(null);
  say(status === 1 ? "支付成功" : "订单已关闭，请重新下单");
}

// follow looks again and again: a payment may arrive late, or while the
// customer is elsewhere.
async function follow() {
  for (;;) {
    if (order) await look().catch(() => {}); // the next look may see more
    await new Promise((go) => setTimeout(go, 2000));
  }
}

function remember(outTradeNo) {
  order = outTradeNo;
  if (order) sessionStorage.setItem("order", order);
  else sessionStorage.removeItem("order");
  show();
}

function show() {
  buy.hidden = Boolean(order);
  again.hidden = !order;
}

function say(text) { note.textContent = text; }

// act does what a click asks for, one thing at a time.
async function act(work) {
  if (act.busy) return;
  act.busy = true;
  say("");
  try {
    await work();
  } catch (problem) {
    say(problem.status ? problem.message : "网络不通，请稍后再试");
  }
  act.busy = false;
}

// ask sends a request to the kit and returns the data of its envelope. Whoever
// is not signed in any more is sent to WeChat and back.
async function ask(method, path, body, headers = {}) {
  const options = { method, headers: { "Accept-Language": document.documentElement.lang, ...headers } };
  if (body) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  if (response.status === 401) location.replace("/pay/oauth/start?redirect=/");
  const envelope = await response.json();
  if (!response.ok) throw Object.assign(new Error(envelope.msg), { status: response.status });
  return envelope.data;
}

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}
