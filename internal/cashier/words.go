package cashier

// words are all that the page says, in one language.
type words struct {
	Lang    string
	Cashier string
	Status  map[State]string
	Hint    map[State]string

	Left, Number, Until, PaidAt, GoneBack string

	Scan, ScanOnPhone, CodeAlt, NoCode   string
	H5, H5Go, H5InWeChat                 string
	Asked, AskedHint, HavePaid, GoOn     string
	JSAPI, JSAPIGo, JSAPIOutside         string
	InApp, InMiniProgram                 string
	Stale, Retry, Done, NoScript, Reload string

	Notice map[NoticeKind]string
	Script scriptWords
}

// scriptWords are what the script says.
type scriptWords struct {
	Confirming string `json:"confirming"`
	Cancelled  string `json:"cancelled"`
	Failed     string `json:"failed"`
	Outside    string `json:"outside"`
	NotYet     string `json:"notYet"`
	Offline    string `json:"offline"`
}

func wordsIn(english bool) words {
	if english {
		return inEnglish
	}
	return inChinese
}

var inChinese = words{
	Lang:    "zh-CN",
	Cashier: "收银台",
	Status: map[State]string{
		Waiting: "等待支付", Expired: "支付时间已过", Paid: "支付成功",
		Refunding: "退款中", Refunded: "已退款", Closed: "订单已关闭",
	},
	Hint: map[State]string{
		Waiting:   "付款后本页会自动更新。",
		Expired:   "请重新下单。如果您刚刚付过款，到账后这里会变成“支付成功”。",
		Paid:      "已收到您的付款。",
		Refunding: "款项正在原路退回，到账时间以银行为准。",
		Refunded:  "款项已原路退回。",
		Closed:    "这笔订单没有付款，需要的话请重新下单。",
	},
	Left: "剩余时间", Number: "订单号", Until: "支付截止", PaidAt: "支付时间", GoneBack: "已退款",

	Scan: "请用微信“扫一扫”付款", ScanOnPhone: "请用另一台手机扫码，或在电脑上打开本页；长按识别、从相册选取都不能付款。",
	CodeAlt: "支付二维码，请用微信扫一扫", NoCode: "暂时取不到二维码或支付链接，请稍后重试。",
	H5: "将跳转到微信完成支付，付完回到这里。", H5Go: "去微信支付",
	H5InWeChat: "这笔订单不能在微信里支付：请点右上角“…”，选择在浏览器中打开。",
	Asked:      "您付好了吗？", AskedHint: "我们正在向微信确认，收到付款后本页会自动更新。",
	HavePaid: "我已付款", GoOn: "还没有，继续支付",
	JSAPI: "点击下面的按钮，在微信里完成支付。", JSAPIGo: "微信支付", JSAPIOutside: "请在微信里打开本页付款。",
	InApp: "这笔订单请在下单的 App 里支付。", InMiniProgram: "这笔订单请在下单的小程序里支付。",
	Stale: "暂时联系不上微信，显示的是最近一次的状态。", Retry: "重试", Done: "完成",
	NoScript: "浏览器没有启用 JavaScript，本页不会自动更新。", Reload: "刷新状态",

	Notice: map[NoticeKind]string{
		SignIn:   "登录后才能查看和支付自己的订单。",
		NotYours: "请换用下单的账号登录，或请下单的人发送支付链接给您。",
		NoLink:   "请向发送链接的人要一个新的。",
		NoOrder:  "请检查链接是否完整。",
		Later:    "订单和款项不受影响，请稍后再试。",
	},
	Script: scriptWords{
		Confirming: "正在确认支付结果，请不要重复支付…",
		Cancelled:  "已取消支付，可以重新支付。",
		Failed:     "微信没能完成支付，请重试。",
		Outside:    "请在微信里打开本页付款。",
		NotYet:     "微信还没有收到这笔付款。如果已经扣款，请稍候，不要重复支付。",
		Offline:    "连不上网络，正在重试…",
	},
}

var inEnglish = words{
	Lang:    "en",
	Cashier: "Checkout",
	Status: map[State]string{
		Waiting: "Waiting for payment", Expired: "The time to pay is over", Paid: "Paid",
		Refunding: "Being refunded", Refunded: "Refunded", Closed: "Order closed",
	},
	Hint: map[State]string{
		Waiting:   "This page updates itself once you have paid.",
		Expired:   "Please order again. If you have just paid, this page will say so as soon as the money is here.",
		Paid:      "We have received your payment.",
		Refunding: "The money is on its way back to you. Your bank decides how long that takes.",
		Refunded:  "The money is back where it came from.",
		Closed:    "This order was not paid. Please order again if you still want it.",
	},
	Left: "Time left", Number: "Order", Until: "Pay until", PaidAt: "Paid at", GoneBack: "Refunded",

	Scan: "Scan with WeChat to pay", ScanOnPhone: "Scan it with another phone, or open this page on a computer. WeChat takes no picture from the album.",
	CodeAlt: "Payment code, scan it with WeChat", NoCode: "WeChat gives no code or link right now. Please try again later.",
	H5: "You will pay in WeChat and come back here.", H5Go: "Pay with WeChat",
	H5InWeChat: "This order cannot be paid inside WeChat: open this page in your browser from the menu above.",
	Asked:      "Have you paid?", AskedHint: "We are asking WeChat. This page updates itself once the money is here.",
	HavePaid: "I have paid", GoOn: "Not yet, go on paying",
	JSAPI: "Press the button to pay in WeChat.", JSAPIGo: "Pay with WeChat", JSAPIOutside: "Please open this page in WeChat to pay.",
	InApp: "Please pay this order in the app in which you placed it.", InMiniProgram: "Please pay this order in the mini program in which you placed it.",
	Stale: "WeChat cannot be reached right now. This is the latest we know.", Retry: "Try again", Done: "Done",
	NoScript: "JavaScript is off: this page does not update itself.", Reload: "Reload",

	Notice: map[NoticeKind]string{
		SignIn:   "Sign in to see and pay your own orders.",
		NotYours: "Sign in as the person who ordered, or ask them for a payment link.",
		NoLink:   "Please ask whoever sent it for a new one.",
		NoOrder:  "Please check that the link is complete.",
		Later:    "Your order and money are safe. Please try again later.",
	},
	Script: scriptWords{
		Confirming: "Confirming the payment. Please do not pay again…",
		Cancelled:  "You cancelled. You can pay again.",
		Failed:     "WeChat could not complete the payment. Please try again.",
		Outside:    "Please open this page in WeChat to pay.",
		NotYet:     "WeChat has not received this payment yet. If you were charged, please wait and do not pay again.",
		Offline:    "No connection, trying again…",
	},
}
