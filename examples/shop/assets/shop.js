// The shop's front end. It posts to the kit what a mini-program or an App
// would, passes on what comes back, and asks what became of the order.
"use strict";

const goods = document.getElementById("goods");
const order = document.getElementById("order");
if (goods && goods.dataset.openid) sell(goods);
if (order) follow(order);

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

function tell(problem, where) {
  const note = document.getElementById(where);
  if (!note) return;
  note.textContent = problem ? problem.status ? problem.message : "网络不通，请稍后再试" : "";
  note.hidden = !problem;
}

// sell makes the buttons of the goods work.
function sell(list) {
  for (const button of list.querySelectorAll("button")) {
    const goodsID = button.closest("[data-goods]").dataset.goods;
    // One wish, one key: however often it is sent, it is one order.
    let key = newKey();
    button.disabled = false;
    button.addEventListener("click", () => act(list, async () => {
      try {
        await buy(goodsID, button.dataset.product, list.dataset.openid, key);
        key = newKey();
      } catch (problem) {
        if (problem.status < 500) key = newKey(); // refused; else it may be placed, and is asked for again
        throw problem;
      }
    }));
  }
}

// act does what a click asks for, unless it is being done already. The button
// keeps the focus, as a disabled one would not.
async function act(element, work, where = "problem") {
  if (element.ariaBusy === "true") return;
  element.ariaBusy = "true";
  tell(null, where);
  try { await work(); } catch (problem) { tell(problem, where); }
  element.ariaBusy = "false";
}

async function buy(goodsID, product, openid, key) {
  const wish = { goods_id: goodsID };
  if (product === "jsapi" || product === "miniprogram") wish.openid = openid;
  if (product === "app") Object.assign(wish, { app_name: "示例小店", app_channel: "web", device: "browser" });
  const placed = await ask("POST", "/pay/prepay/" + product, wish, { "Idempotency-Key": key });
  const page = "/order?no=" + encodeURIComponent(placed.out_trade_no);
  location.assign(placed.h5_url ? withReturn(placed.h5_url, page) : page);
}

// withReturn adds the one thing that may be added to an h5_url.
function withReturn(h5URL, page) {
  return h5URL + "&redirect_url=" + encodeURIComponent(new URL(page, location.href).href);
}

// fen reads "0.5" as 50, without fractions of binary numbers.
function fen(text) {
  const [yuan, cents = ""] = text.split(".");
  return 100 * Number(yuan) + Number(cents.padEnd(2, "0"));
}

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

// follow keeps the order page true until nothing more can happen.
async function follow(article) {
  const { no } = article.dataset;
  const path = "/pay/orders/" + no;
  let wish = {}; // the refund that was asked for, until it is known to be granted or not
  let deadline = arrange();
  setInterval(countDown, 250);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  while (article.dataset.pace > 0) {
    await new Promise((go) => setTimeout(go, Number(article.dataset.pace)));
    await look();
  }

  // look asks the kit, which asks WeChat if need be, and redraws what changed.
  async function look() {
    try {
      const { ask: question } = article.dataset;
      const now = question ? await ask("GET", question) : {};
      if (now.pay_status !== 0 || expiredNow()) await redraw();
    } catch { /* the next look may see more */ }
  }

  // redraw takes the parts of the page that change from the page itself.
  async function redraw() {
    const response = await fetch(location.href);
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const next = fresh.getElementById("order");
    if (next.dataset.drawn === article.dataset.drawn) return;
    const focus = document.activeElement;
    for (const id of ["pay", "facts", "actions", "refunds", "admin"]) replace(document.getElementById(id), fresh.getElementById(id));
    Object.assign(article.dataset, next.dataset);
    document.title = fresh.title;
    const status = document.getElementById("status");
    const text = fresh.getElementById("status").textContent;
    if (status.textContent !== text) status.textContent = text; // a live region: it is read out
    deadline = arrange();
    if (!focus.isConnected) (document.getElementById(focus.id) || status).focus({ preventScroll: true });
  }

  // replace puts a part in the place of another, with what was typed into it.
  function replace(old, next) {
    if (!old) return;
    for (const typed of old.querySelectorAll("input")) {
      const field = next.querySelector("#" + typed.id);
      if (field) field.value = typed.value;
    }
    const note = old.querySelector(".note.bad:not([hidden])");
    if (note) next.querySelector("#" + note.id)?.replaceWith(note);
    old.replaceWith(next);
  }

  // arrange gives the buttons that were drawn their work.
  function arrange() {
    const cancel = document.getElementById("cancel");
    if (cancel) {
      cancel.disabled = false;
      cancel.addEventListener("click", () => act(cancel, async () => {
        try { await ask("POST", path + "/close"); } finally { await look(); }
      }));
    }
    const h5 = document.getElementById("h5");
    if (h5) {
      h5.addEventListener("click", (click) => {
        click.preventDefault();
        act(h5, async () => { // five minutes is all that an h5_url lives
          const again = await ask("POST", "/pay/prepay/h5", { out_trade_no: no });
          location.assign(withReturn(again.h5_url, location.pathname + location.search));
        });
      });
    }
    const form = document.getElementById("refund");
    if (form) arrangeRefund(form);
    const sign = document.getElementById("sign");
    if (sign) act(sign, async () => { sign.textContent = JSON.stringify((await ask("POST", "/pay/paysign", { out_trade_no: no })).pay, null, 2); });
    const left = document.getElementById("left");
    return left ? performance.now() + 1000 * left.dataset.seconds : 0;
  }

  // arrangeRefund lets the admin give back all, or a part.
  function arrangeRefund(form) {
    for (const button of form.querySelectorAll("button")) button.disabled = false;
    document.getElementById("refund-all").addEventListener("click", () => refund(form, Number(form.dataset.left)));
    form.addEventListener("submit", (submit) => {
      submit.preventDefault();
      refund(form, fen(form.elements.amount.value));
    });
  }

  // refund posts one wish under one number: however often it is sent, it is one
  // refund. Only a wish that is granted or refused makes room for its like.
  function refund(form, amount) {
    return act(form, async () => {
      if (wish.amount !== amount) wish = { amount, number: newKey() };
      try {
        await ask("POST", form.dataset.path, { refund: amount, reason: form.elements.reason.value, out_refund_no: wish.number });
        wish = {};
        form.reset();
      } catch (problem) {
        if (problem.status < 500) wish = {};
        throw problem;
      } finally {
        await look();
      }
    }, "refund-problem");
  }

  function expiredNow() { return article.dataset.state === "waiting" && performance.now() >= deadline; }

  function countDown() {
    const left = document.getElementById("left");
    if (!left) return;
    const seconds = Math.max(0, Math.ceil((deadline - performance.now()) / 1000));
    const two = (n) => String(n).padStart(2, "0");
    const text = two(Math.floor(seconds / 60)) + ":" + two(seconds % 60);
    if (left.textContent !== text) left.textContent = text;
  }
}
