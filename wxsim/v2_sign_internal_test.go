package wxsim

import (
	"bytes"
	"crypto/aes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// The sample of the official documentation, chapter 4_3, also kept in
// binarywang/WxJava's SignUtilsTest.
func TestV2Sign(t *testing.T) {
	t.Parallel()
	const key = "192006250b4c09247ec02edce69f6a2d"
	m := v2Message{"appid": "wxd930ea5d5a258f4f", "body": "test", "device_info": "1000", "mch_id": "10000100", "nonce_str": "ibuaiVcKdpRxkhJA"}
	for _, c := range []struct{ signType, want string }{
		{"MD5", "9A0A8659F005D6984697E2CA0A9CF3B7"},
		{"HMAC-SHA256", "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6"},
	} {
		if got := m.sign(c.signType, key); got != c.want {
			t.Errorf("%s %s, want %s", c.signType, got, c.want)
		}
		m["attach"], m["sign"] = "", c.want // neither is signed
		if got := m.sign(c.signType, key); got != c.want {
			t.Errorf("%s with an empty element %s, want %s", c.signType, got, c.want)
		}
	}
}

// The vector of wechatpay-apiv3/wechatpay-php's AesEcbTest.
func TestV2SealECB(t *testing.T) {
	t.Parallel()
	sealed, err := sealECB([]byte("0123456789abcdef0123456789abcdef"), []byte("hello"))
	if got := base64.StdEncoding.EncodeToString(sealed); err != nil || got != "pZwJZBLuy3mDACEQT4YTBw==" {
		t.Errorf("%s %v", got, err)
	}
}

// A real req_info says what it is known to say, and sealing that again gives
// the very same bytes.
func TestV2ReqInfo(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/v2_req_info.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want origin, key and req_info", len(lines))
	}
	key, reqInfo := lines[1], lines[2]
	plain := openReqInfo(t, key, reqInfo)
	m, err := parseV2(plain, "root")
	if err != nil || m["out_refund_no"] != "50fd012ed1b311e7af7800163e32c503" || m["refund_fee"] != "6" || m["success_time"] != "2017-11-25 15:36:17" {
		t.Errorf("%v %v", m, err)
	}
	if again, err := sealReqInfo(key, plain); err != nil || again != reqInfo {
		t.Errorf("sealed again it is another: %v", err)
	}
}

// openReqInfo decrypts as a receiver does.
func openReqInfo(t *testing.T, key, reqInfo string) []byte {
	t.Helper()
	sealed, err := base64.StdEncoding.DecodeString(reqInfo)
	if err != nil || len(sealed) == 0 || len(sealed)%16 != 0 {
		t.Fatalf("%d bytes: %v", len(sealed), err)
	}
	sum := md5.Sum([]byte(key))
	block, err := aes.NewCipher([]byte(hex.EncodeToString(sum[:])))
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(sealed); at += 16 {
		block.Decrypt(sealed[at:], sealed[at:at+16])
	}
	pad := int(sealed[len(sealed)-1])
	if pad < 1 || pad > 16 || !bytes.HasSuffix(sealed, bytes.Repeat([]byte{byte(pad)}, pad)) {
		t.Fatalf("padding %d", pad)
	}
	return sealed[:len(sealed)-pad]
}
