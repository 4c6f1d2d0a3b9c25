const { ask } = require('../../request');
const pay = require('../../pay');

// PENDING keeps the number of an order that may be paid without this page
// knowing: the customer can leave at any moment.
const PENDING = 'pending';

// What pay_status says.
const UNPAID = 0;
const PAID = 1;

// What is said of an order that is not paid, by what the customer saw.
const notes = {
  ok: '正在确认支付结果，请稍后查询',
  cancel: '已取消支付',
  fail: '支付没有完成',
  nothing: '有一笔订单尚未支付',
};

Page({
  data: {
    // The price is the shop's to say; here it is only shown.
    goods: [
      { id: 'vip-month', name: '1个月会员', yuan: '1.00' },
      { id: 'vip-year', name: '12个月会员', yuan: '9.60' },
    ],
    state: '', // of the order: '', 'waiting', 'paid' or 'closed'
    note: '', // what happened, for the customer
    vipUntil: '',
    busy: false,
  },

  // onShow comes first, and whenever the customer comes back.
  onShow() {
    return this.act(async () => {
      if (wx.getStorageSync(PENDING)) await this.look('nothing');
      await this.showMembership();
    });
  },

  // buy places an order and opens the cashier.
  buy(event) {
    return this.act(async () => {
      const placed = await this.place(event.currentTarget.dataset.goods);
      wx.setStorageSync(PENDING, placed.out_trade_no);
      await this.showCashier(placed);
    });
  },

  // payAgain opens the cashier for the order that was not paid.
  payAgain() {
    return this.act(async () => {
      try {
        await this.showCashier(await pay.again(wx.getStorageSync(PENDING)));
      } catch (problem) {
        if (problem.status !== 409) throw problem;
        await this.look('nothing'); // it was paid or closed meanwhile
      }
    });
  },

  // check is for a customer who has paid and does not see it.
  check() {
    return this.act(() => this.look('ok'));
  },

  // place keeps the key of a wish of which nobody knows whether it was heard:
  // the next click then asks for the very same order.
  async place(goods) {
    if (!this.wish || this.wish.goods !== goods) this.wish = { goods, key: pay.newKey() };
    try {
      const placed = await pay.place(goods, this.wish.key);
      this.wish = null;
      return placed;
    } catch (problem) {
      if (problem.status > 0 && problem.status < 500) this.wish = null; // refused
      throw problem;
    }
  },

  async showCashier(signed) {
    this.setData({ state: 'waiting', note: '' });
    await this.look(await pay.show(signed.pay));
  },

  // look shows what the shop says of the order. Only this counts; what the
  // customer saw decides no more than the words.
  async look(seen) {
    const order = await pay.outcome(wx.getStorageSync(PENDING), seen).catch((problem) => {
      if (problem.status === 403 || problem.status === 404) this.forget(''); // another customer's, by now
      throw problem;
    });
    if (order.pay_status === UNPAID) {
      this.setData({ state: 'waiting', note: notes[seen] });
    } else if (order.pay_status === PAID) {
      this.forget('paid', '支付成功');
      await this.showMembership(this.data.vipUntil).catch(() => {}); // the payment is what counts
    } else {
      this.forget('closed', '订单已关闭，请重新下单');
    }
  },

  forget(state, note = '') {
    wx.removeStorageSync(PENDING);
    this.setData({ state, note });
  },

  // showMembership shows until when it lasts. After a payment the shop grants it
  // in a moment, so it is asked for until it is no longer what it was.
  async showMembership(before) {
    for (let questions = before === undefined ? 1 : 6; questions > 0; questions--) {
      const { vip_until: vipUntil } = await ask('GET', '/me');
      this.setData({ vipUntil: vipUntil.slice(0, 10) });
      if (questions === 1 || this.data.vipUntil !== before) return;
      await pay.moment();
    }
  },

  // act does what the customer asks for, unless it is being done already, and
  // says so if it cannot be done.
  async act(work) {
    if (this.data.busy) return;
    this.setData({ busy: true });
    try {
      await work();
    } catch (problem) {
      this.setData({ note: problem.message });
    }
    this.setData({ busy: false });
  },
});
