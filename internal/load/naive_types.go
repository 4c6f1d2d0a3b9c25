package main

// envelope and payment are the full types, with every field that WeChat Pay
// documents, as the official SDK has them. Source: 回调通知, 支付通知.
type envelope struct {
	ID           string `json:"id"`
	CreateTime   string `json:"create_time"`
	EventType    string `json:"event_type"`
	ResourceType string `json:"resource_type"`
	Summary      string `json:"summary"`
	Resource     struct {
		Algorithm      string `json:"algorithm"`
		Ciphertext     string `json:"ciphertext"`
		AssociatedData string `json:"associated_data"`
		Nonce          string `json:"nonce"`
		OriginalType   string `json:"original_type"`
	} `json:"resource"`
}

type payment struct {
	AppID          string `json:"appid"`
	MchID          string `json:"mchid"`
	OutTradeNo     string `json:"out_trade_no"`
	TransactionID  string `json:"transaction_id"`
	TradeType      string `json:"trade_type"`
	TradeState     string `json:"trade_state"`
	TradeStateDesc string `json:"trade_state_desc"`
	BankType       string `json:"bank_type"`
	Attach         string `json:"attach"`
	SuccessTime    string `json:"success_time"`
	Payer          struct {
		OpenID string `json:"openid"`
	} `json:"payer"`
	Amount struct {
		Total         int64  `json:"total"`
		PayerTotal    int64  `json:"payer_total"`
		Currency      string `json:"currency"`
		PayerCurrency string `json:"payer_currency"`
	} `json:"amount"`
	SceneInfo *struct {
		DeviceID string `json:"device_id"`
	} `json:"scene_info"`
	PromotionDetail []struct {
		CouponID            string `json:"coupon_id"`
		Name                string `json:"name"`
		Scope               string `json:"scope"`
		Type                string `json:"type"`
		Amount              int64  `json:"amount"`
		StockID             string `json:"stock_id"`
		WechatpayContribute int64  `json:"wechatpay_contribute"`
		MerchantContribute  int64  `json:"merchant_contribute"`
		OtherContribute     int64  `json:"other_contribute"`
		Currency            string `json:"currency"`
		GoodsDetail         []struct {
			GoodsID        string `json:"goods_id"`
			Quantity       int64  `json:"quantity"`
			UnitPrice      int64  `json:"unit_price"`
			DiscountAmount int64  `json:"discount_amount"`
			GoodsRemark    string `json:"goods_remark"`
		} `json:"goods_detail"`
	} `json:"promotion_detail"`
}
