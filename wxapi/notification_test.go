package wxapi_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// notified is the documentation's own sample, shortened, with members after it.
func notified(more string) []byte {
	return []byte(`{"id":"EV-2018022511223320873","create_time":"2015-05-20T13:29:35+08:00","resource_type":"encrypt-resource",` +
		`"event_type":"TRANSACTION.SUCCESS","summary":"支付成功","resource":{"original_type":"transaction","algorithm":"AEAD_AES_256_GCM",` +
		`"ciphertext":"AA+\/==","associated_data":"","nonce":"fdasflkja484","future":[1]}` + more + `}`)
}

func TestParseNotification(t *testing.T) {
	t.Parallel()
	whole := wxapi.Notification{
		ID: "EV-2018022511223320873", EventType: "TRANSACTION.SUCCESS", Summary: "支付成功",
		Resource: &wxcrypto.Resource{OriginalType: "transaction", Algorithm: "AEAD_AES_256_GCM", Ciphertext: "AA+/==", Nonce: "fdasflkja484"},
	}
	for _, tt := range []struct {
		name, body string
		want       wxapi.Notification
		refusal    string
	}{
		{"sample", string(notified("")), whole, ""},
		{"growth", string(notified(`,"future":{"id":1,"id":2}`)), whole, ""},
		{"nothing in it", `{}`, wxapi.Notification{}, ""},
		{"null", `null`, wxapi.Notification{}, ""},
		{"null in it", `{"id":null,"resource":null}`, wxapi.Notification{}, ""},
		{"in capitals", `{"ID":"1","Resource":{}}`, wxapi.Notification{}, ""},
		{"nothing", ``, wxapi.Notification{}, "notification: unexpected end of JSON where '{' should be"},
		{"cut", string(notified("")[:100]), wxapi.Notification{}, "notification: resource_type: unexpected end of JSON"},
		{"more behind it", `{}{}`, wxapi.Notification{}, "notification: an object at byte 2 after the value"},
		{"id twice", string(notified(`,"id":"2"`)), wxapi.Notification{}, `notification: "id" is there twice`},
		{"resource twice", string(notified(`,"Resource":{}`)), wxapi.Notification{}, `notification: "Resource" is there twice`},
		{"nonce twice", `{"resource":{"nonce":"1","nonce":"2"}}`, wxapi.Notification{}, `notification: resource: "nonce" is there twice`},
		{"nonce a number", `{"resource":{"nonce":1}}`, wxapi.Notification{}, `notification: resource.nonce: a number at byte 21 where '"' should be`},
		{"event_type a list", `{"event_type":[]}`, wxapi.Notification{}, `notification: event_type: an array at byte 14 where '"' should be`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := wxapi.ParseNotification([]byte(tt.body))
			refusal := ""
			if err != nil {
				refusal = err.Error()
			}
			if refusal != tt.refusal || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%+v, %q, want %+v, %q", got, refusal, tt.want, tt.refusal)
			}
		})
	}
}

// FuzzParseNotification: what is taken, encoding/json takes for the same.
func FuzzParseNotification(f *testing.F) {
	for _, body := range []string{string(notified("")), `{}`, `{"resource":{"nonce":"\u0031"}}`, `{"id":null,"id2":"\""}`} {
		if _, err := wxapi.ParseNotification([]byte(body)); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := wxapi.ParseNotification(body)
		if err != nil {
			if !reflect.DeepEqual(got, wxapi.Notification{}) {
				t.Errorf("something was returned beside the error: %+v", got)
			}
			return
		}
		// Maps compare names by case, as ParseNotification does.
		var outer map[string]json.RawMessage
		if err := json.Unmarshal(body, &outer); err != nil {
			t.Fatalf("encoding/json refuses it: %v", err)
		}
		same := func(raw json.RawMessage, field string) {
			var text string
			if raw != nil {
				if err := json.Unmarshal(raw, &text); err != nil {
					t.Errorf("encoding/json refuses %s: %v", raw, err)
				}
			}
			if text != field {
				t.Errorf("%q, encoding/json has %q", field, text)
			}
		}
		same(outer["id"], got.ID)
		same(outer["event_type"], got.EventType)
		same(outer["summary"], got.Summary)
		var inner map[string]json.RawMessage
		if raw := outer["resource"]; raw != nil {
			if err := json.Unmarshal(raw, &inner); err != nil {
				t.Errorf("encoding/json refuses %s: %v", raw, err)
			}
		}
		if (got.Resource == nil) != (inner == nil) {
			t.Errorf("resource %+v, encoding/json has %s", got.Resource, outer["resource"])
		}
		if got.Resource != nil {
			same(inner["algorithm"], got.Resource.Algorithm)
			same(inner["ciphertext"], got.Resource.Ciphertext)
			same(inner["associated_data"], got.Resource.AssociatedData)
			same(inner["nonce"], got.Resource.Nonce)
		}
	})
}
