// The shop's front end. It posts to the kit what a mini-program or an App
// would, passes on what comes back, and asks what became of the order.
"use strict";

const goods = document.getElementById("goods");
const order = document.getElementById("order");
if (goods && goods.dataset.openid) sell(goods);
if (order) follow(order);

// ask sends a request to the kit and returns the data of its envelope.
async function ask(method, path, body, headers = {}) {
  const options = { method, headers: { ...headers } };
  if (body) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const envelope = await response.json();
  if (!response.ok) throw Object.assign(new Error(envelope.msg), { status: response.status });
  return envelope.data;
}

function tell(problem) {
  const note = document.getElementById("problem");
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
async function act(element, work) {
  if (element.ariaBusy === "true") return;
  element.ariaBusy = "true";
  tell(null);
  try { await work(); } catch (problem) { tell(problem); }
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

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

// follow keeps the order page true until nothing more can happen.
async function follow(article) {
  const no = article.dataset.no;
  const path = "/pay/orders/" + no;
  let deadline = arrange();
  setInterval(countDown, 250);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  while ("following" in article.dataset) {
    await new Promise((go) => setTimeout(go, 1000));
    await look();
  }

  // look asks the kit, which asks WeChat if need be, and redraws what changed.
  async function look() {
    try {
      const now = await ask("GET", path);
      const known = { waiting: 0, expired: 0, paid: 1, closed: 2 }[article.dataset.state];
      if (now.pay_status !== known || known === 1 || expiredNow()) await redraw();
    } catch { /* the next look may see more */ }
  }

  // redraw takes the parts of the page that change from the page itself.
  async function redraw() {
    const response = await fetch(location.href);
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const next = fresh.getElementById("order");
    if (next.dataset.state === article.dataset.state && "following" in next.dataset) return;
    const lost = ["pay", "actions"].some((id) => document.getElementById(id).contains(document.activeElement));
    for (const id of ["pay", "facts", "actions"]) document.getElementById(id).replaceWith(fresh.getElementById(id));
    article.dataset.state = next.dataset.state;
    if (!("following" in next.dataset)) delete article.dataset.following;
    document.title = fresh.title;
    const status = document.getElementById("status");
    status.textContent = fresh.getElementById("status").textContent; // a live region: it is read out
    if (lost) status.focus();
    deadline = arrange();
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
    const sign = document.getElementById("sign");
    if (sign) act(sign, async () => { sign.textContent = JSON.stringify((await ask("POST", "/pay/paysign", { out_trade_no: no })).pay, null, 2); });
    const left = document.getElementById("left");
    return left ? performance.now() + 1000 * left.dataset.seconds : 0;
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
