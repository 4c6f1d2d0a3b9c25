// The page is right as it was loaded. This script keeps it so: it hears from the
// kit what became of the order, and then draws the page's new state, which it
// fetches from where the page itself came from. It decides nothing about money.
"use strict";
(function () {
  var main = document.getElementById("cashier");
  if (!main || !window.fetch || !window.Promise || !window.URL) return; // it stays a page to reload

  var note = document.getElementById("note");
  var words = JSON.parse(main.dataset.words);
  var number = main.dataset.number;
  var query = main.dataset.token ? "?t=" + encodeURIComponent(main.dataset.token) : "";
  var over, tooOld; // when the time to pay ends, and when the code or link on the page is too old
  var source, timer, silence, polls = 0;

  function say(text) { if (note.textContent !== text) note.textContent = text; }
  function waiting() { return main.dataset.state === "waiting" || main.dataset.state === "expired"; }
  function refunding() { return main.dataset.state === "refunding"; }

  // What the page says about time counts from when it was drawn: the customer's
  // clock may be wrong.
  function clocks() {
    over = Date.now() + main.dataset.left * 1000;
    tooOld = Date.now() + main.dataset.fresh * 1000;
  }

  function two(n) { return (n < 10 ? "0" : "") + n; }
  function clock(s) {
    var rest = two(Math.floor(s / 60) % 60) + ":" + two(s % 60);
    return s < 3600 ? rest : Math.floor(s / 3600) + ":" + rest;
  }

  function json(path, options) {
    return fetch(path, Object.assign({ credentials: "same-origin", cache: "no-store" }, options)).then(function (r) { return r.json(); });
  }

  // redraw replaces what changed, and leaves the focus where it was or on what
  // happened. Those who come while it is fetching get the same drawing.
  var drawing = null;
  function redraw() {
    if (!drawing) drawing = fetchPage().then(done, done);
    return drawing;
    function done() { drawing = null; }
  }
  function fetchPage() {
    return fetch(location.href, { credentials: "same-origin", cache: "no-store" }).then(function (r) {
      return r.text();
    }).then(function (text) {
      var page = new DOMParser().parseFromString(text, "text/html");
      var fresh = page.getElementById("cashier");
      if (!fresh) return location.reload(); // signed out, or the link is over: the page says so
      show(page, fresh);
    }).catch(function () { say(words.offline); });
  }
  function show(page, fresh) {
    var view = document.getElementById("view"), focused = document.activeElement;
    var inside = view.contains(focused), id = inside && focused.id;
    var before = main.dataset.state;
    Object.keys(fresh.dataset).forEach(function (k) { main.dataset[k] = fresh.dataset[k]; });
    var status = page.getElementById("status").textContent, heading = document.getElementById("status");
    if (heading.textContent !== status) heading.textContent = status;
    document.title = page.title;
    view.replaceWith(document.adoptNode(page.getElementById("view")));
    if (before !== main.dataset.state || note.textContent === words.offline) say("");
    if (inside) ((id && document.getElementById(id)) || heading).focus();
    clocks();
  }

  // heard compares what the kit says of the order with what the page shows.
  function heard(order) {
    if (note.textContent === words.offline) say("");
    var key = [order.pay_status, order.refund_status || "", order.refunded, !!order.stale].join(",");
    if (key !== main.dataset.key) redraw().then(follow);
  }

  // follow listens for as long as something can change, while somebody looks.
  function follow() {
    if (document.hidden || !waiting()) hush();
    if (document.hidden) return;
    if (refunding() && !timer) timer = setTimeout(poll, 10000);
    if (waiting() && !source && !timer) listen();
  }
  function hush() {
    if (source) source.close();
    clearTimeout(silence);
    clearTimeout(timer);
    source = timer = null;
  }

  // listen is told at once. Where events do not get through, the page asks.
  function listen() {
    if (!window.EventSource) return poll();
    source = new EventSource("live" + query);
    quiet();
    source.addEventListener("order", function (e) {
      clearTimeout(silence);
      heard(JSON.parse(e.data));
    });
    source.onerror = function () {
      if (source && source.readyState === EventSource.CLOSED) askInstead();
      else quiet(); // the browser connects again
    };
  }
  function quiet() {
    clearTimeout(silence);
    silence = setTimeout(askInstead, 8000);
  }
  function askInstead() {
    hush();
    poll();
  }

  function poll() {
    timer = null;
    check().then(function () {
      if (document.hidden || timer || !(waiting() || refunding())) return;
      polls++;
      timer = setTimeout(poll, refunding() ? 10000 : polls < 30 ? 2000 : 5000);
    });
  }

  // check asks once. A refusal is for the page to explain.
  function check() {
    var order = new URL(".", location.href).pathname.replace(/\/$/, "");
    return json(order + query).then(function (answer) {
      if (answer.code !== 200) return answer.code < 500 && answer.code !== 429 ? redraw() : undefined;
      heard(answer.data);
    }).catch(function () { say(words.offline); });
  }

  setInterval(function () {
    var left = Math.max(0, Math.ceil((over - Date.now()) / 1000)), shown = document.getElementById("left");
    if (document.hidden || main.dataset.state !== "waiting") return;
    if (shown && shown.textContent !== clock(left)) shown.textContent = clock(left);
    var stale = main.dataset.product === "native" && main.dataset.trouble !== "true" && Date.now() > tooOld;
    var again = main.dataset.trouble === "true" && Date.now() > tooOld + 10000;
    if (left === 0 || stale || again) redraw().then(follow);
  }, 1000);

  // Paying by hand: each button is named by data-do.
  var busy = false;
  main.addEventListener("click", function (e) {
    var button = e.target.closest("[data-do]");
    if (!button) return;
    e.preventDefault();
    if (busy) return;
    busy = true;
    button.setAttribute("aria-disabled", "true");
    say("");
    acts[button.dataset.do](button).catch(function () { say(words.offline); }).then(function () {
      busy = false;
      button.removeAttribute("aria-disabled");
      follow();
    });
  });
  var acts = {
    again: redraw,
    check: function () {
      return redraw().then(function () { if (waiting()) say(words.notYet); });
    },
    h5: function () {
      var ready = Date.now() > tooOld ? redraw() : Promise.resolve();
      return ready.then(function () {
        var link = document.getElementById("h5");
        if (!link) return;
        var back = new URL(location.href);
        back.searchParams.set("back", "1");
        history.replaceState(null, "", back.href); // also for those who come back by the back button
        location.href = link.getAttribute("href") + "&redirect_url=" + encodeURIComponent(back.href);
      });
    },
    jsapi: function () {
      return bridge().then(function (b) {
        if (!b) return say(words.outside);
        return json("../../paysign" + query, {
          method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ out_trade_no: number }),
        }).then(function (answer) {
          if (answer.code === 409) return redraw();
          if (answer.code !== 200) return say(answer.msg);
          return new Promise(function (done) {
            b.invoke("getBrandWCPayRequest", answer.data.pay, done);
          }).then(paid);
        });
      });
    },
  };

  // paid tells the customer what WeChat's window said. Whether the money is there
  // only the server knows.
  function paid(result) {
    var word = (result && result.err_msg) || "", ok = /:ok$/.test(word);
    say(ok ? words.confirming : /:cancel$/.test(word) ? words.cancelled : words.failed);
    var asked = check();
    return ok ? asked : undefined; // who cancelled may try again meanwhile
  }

  // bridge is WeChat's, which may come after the page; null outside WeChat.
  function bridge() {
    return new Promise(function (done) {
      if (window.WeixinJSBridge) return done(window.WeixinJSBridge);
      document.addEventListener("WeixinJSBridgeReady", function () { done(window.WeixinJSBridge); });
      setTimeout(function () { done(window.WeixinJSBridge || null); }, 3000);
    });
  }

  document.addEventListener("visibilitychange", function () {
    if (document.hidden) return hush();
    check().then(follow);
  });
  window.addEventListener("pageshow", function (e) {
    if (e.persisted) redraw().then(follow); // back from WeChat: this page was asleep
  });
  window.addEventListener("pagehide", hush);

  clocks();
  follow();
})();
