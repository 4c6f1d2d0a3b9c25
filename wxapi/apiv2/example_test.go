package apiv2_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxapi/apiv2"
	"github.com/wxpaykit/wxpay/wxcrypto"
	"github.com/wxpaykit/wxpay/wxsim"
)

// atSim is a client at a simulated WeChat Pay.
func atSim() (client *apiv2.Client, sim *wxsim.Sim, end func()) {
	sim, err := wxsim.New(wxsim.Config{Seed: 1, RefundDelay: -1})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(sim)
	sim.SetURL(server.URL)
	key, err := wxcrypto.ParseAPIv2Key(sim.Account().APIv2Key)
	if err != nil {
		log.Fatal(err)
	}
	client, err = apiv2.New(apiv2.Config{MchID: sim.Account().MchID, Key: key, Calls: wxapi.Config{BaseURL: server.URL}})
	if err != nil {
		log.Fatal(err)
	}
	return client, sim, func() { sim.Close(); server.Close() }
}

// An order from placed to paid and refunded. What is encoded is to be stored
// before it is sent, and sent again byte for byte when no answer came.
func ExampleClient() {
	client, sim, end := atSim()
	defer end()
	ctx, acct := context.Background(), sim.Account()

	order, err := client.EncodePrepay(wxapi.Native, wxapi.PrepayRequest{
		AppID: acct.AppID, MchID: acct.MchID, OutTradeNo: "order-0001", Description: "1个月会员",
		NotifyURL: "https://shop.example.com/pay/notify/v2", Amount: wxapi.Amount{Total: 100},
		SceneInfo: &wxapi.SceneInfo{PayerClientIP: "203.0.113.7"},
	})
	if err != nil {
		log.Fatal(err)
	}
	credential, err := client.Prepay(ctx, wxapi.Native, order)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(credential.CodeURL != "")

	if err := sim.PayQuietly("order-0001"); err != nil { // its notification is lost
		log.Fatal(err)
	}
	t, err := client.Query(ctx, acct.AppID, "order-0001")
	fmt.Println(t.TradeState, t.Amount.Total, err)

	refund, err := client.EncodeRefund(acct.AppID, wxapi.RefundRequest{
		OutTradeNo: "order-0001", OutRefundNo: "R-1", Refund: 30, Total: 100,
		NotifyURL: "https://shop.example.com/pay/notify/v2",
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.ApplyRefund(ctx, refund); err != nil {
		log.Fatal(err)
	}
	r, err := client.QueryRefund(ctx, acct.AppID, "R-1")
	fmt.Println(r.Status, r.Amount.Refund, err)
	// Output:
	// true
	// SUCCESS 100 <nil>
	// SUCCESS 30 <nil>
}

// Refusals are those of package wxapi, under the codes of API v3.
func ExampleClient_Close() {
	client, sim, end := atSim()
	defer end()
	err := client.Close(context.Background(), sim.Account().AppID, "nobody-ordered")
	fmt.Println(wxapi.IsCode(err, "ORDER_NOT_EXIST"))
	// Output: true
}

// A wrong setting is told by New.
func ExampleNew() {
	_, err := apiv2.New(apiv2.Config{})
	fmt.Println(err)
	// Output:
	// apiv2: Config.MchID is required: the merchant number
	// apiv2: Config.Key is required: the APIv2 key
}

// Parameters that were kept with an order say which API they are of.
func ExampleIsFrozen() {
	fmt.Println(apiv2.IsFrozen("<xml><appid>wxd930ea5d5a258f4f</appid></xml>"), apiv2.IsFrozen(`{"appid":"wxd930ea5d5a258f4f"}`))
	// Output: true false
}

// And how they were signed, so that the client parameters are signed alike.
func ExampleSignTypeOf() {
	fmt.Println(apiv2.SignTypeOf("<xml><sign_type>HMAC-SHA256</sign_type></xml>"))
	// Output: HMAC-SHA256
}
