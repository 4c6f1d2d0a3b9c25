// Paying in the browser of a phone (H5): away to WeChat, and back to a question.
"use strict";

const buy = document.getElementById("buy");
const question = document.getElementById("question");
const note = document.getElementById("note");

// A key is one wish: however often it is sent, it is one order.
let key = newKey();

// The address says which order the customer comes back from.
const order = () => new URLSearchParams(location.search).get("no");

buy.addEventListener("click", () => act(async () => {
  try {
    const placed = await ask("POST", "/pay/prepay/h5", { goods_id: "tea" }, { "Idempotency-Key": key });
    key = newKey();
    leave(placed);
  } catch (problem) {
    if (problem.status < 500) key = newKey(); // refused; else it may be placed, and is asked for again
    throw problem;
  }
}));

document.getElementById("done").addEventListener("click", () => act(look));

// Whoever has paid after all is not sent there again. An h5_url is good for five
// minutes, so that the same order gets a new one.
document.getElementById("again").addEventListener("click", () => act(async () => {
  if (await look()) return;
  leave(await ask("POST", "/pay/prepay/h5", { out_trade_no: order() }));
}));

// Also when the browser shows the page again as it left it.
addEventListener("pageshow", show);

// leave goes to WeChat, unchanged but for the way back. Whichever way the
// customer takes, it ends at the question.
function leave({ h5_url: h5URL, out_trade_no: no }) {
  const back = location.origin + location.pathname + "?no=" + encodeURIComponent(no);
  history.replaceState(null, "", back);
  location.assign(h5URL + "&redirect_url=" + encodeURIComponent(back));
}

// look asks what became of the order, and whether that is the end of it. Coming
// back proves nothing: WeChat sends the customer back in any case.
async function look() {
  const { pay_status: status } = await ask("GET", "/pay/orders/" + encodeURIComponent(order())).catch((problem) => {
    if (problem.status === 403 || problem.status === 404) forget(); // not this customer's, by now
    throw problem;
  });
  if (status === 0) {
    say("还没有收到付款。如已支付，请稍候再查");
    return false;
  }
  forget();
  say(status === 1 ? "支付成功" : "订单已关闭，请重新下单");
  return true;
}

function forget() {
  history.replaceState(null, "", location.pathname);
  show();
}

function show() {
  buy.hidden = Boolean(order());
  question.hidden = !order();
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

// ask sends a request to the kit and returns the data of its envelope.
async function ask(method, path, body, headers = {}) {
  const options = { method, headers: { "Accept-Language": document.documentElement.lang, ...headers } };
  if (body) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const envelope = await response.json();
  if (!response.ok) throw Object.assign(new Error(envelope.msg), { status: response.status });
  return envelope.data;
}

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}
