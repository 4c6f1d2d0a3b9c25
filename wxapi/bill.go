package wxapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// BillOptions limits what [Client.TradeBill] takes. Every zero value means its
// default.
type BillOptions struct {
	// MaxDownload is the most bytes of a packed bill. Defaults to 64 MiB.
	MaxDownload int64
	// MaxSize is the most bytes of an unpacked bill. A row has about 400.
	// Defaults to 512 MiB.
	MaxSize int64
	// Timeout is the longest all of it may take. Defaults to 5 minutes.
	Timeout time.Duration
	// Dir is where the file is kept, packed as it came, until Close. It holds
	// openids. Defaults to os.TempDir.
	Dir string
}

func (o BillOptions) withDefaults() BillOptions {
	o.MaxDownload = cmp.Or(o.MaxDownload, 64<<20)
	o.MaxSize = cmp.Or(o.MaxSize, 512<<20)
	o.Timeout = cmp.Or(o.Timeout, 5*time.Minute)
	return o
}

// TradeBill downloads the bill of a day (交易账单, all payments and refunds). The
// day is the one of Beijing in which the moment lies; bills are made from nine
// o'clock of the next morning on and kept for three months.
//
// What it returns is checked from end to end before anybody sees a row: its
// SHA1 is the announced one, every row can be read, number and sums of the rows
// are those of its summary, and it is this merchant's and this day's. So there
// is a bill or an error, never half a bill. Close it after use.
//
// Expect [ErrNoBill], [ErrBillNotReady] and [ErrBillDamaged]; after every other
// error try again later, nothing was changed. The signed download goes to
// WeChat Pay's hosts and the Config's only, whatever host WeChat Pay's answer
// names. Source: 申请交易账单, 下载账单.
func (c *Client) TradeBill(ctx context.Context, day time.Time, o BillOptions) (*BillFile, error) {
	o = o.withDefaults()
	day = day.In(beijing())
	if day.Year() < 2000 || day.Year() > 9999 {
		return nil, fmt.Errorf("bill: %w: no bill has such a day", ErrRequest)
	}
	if o.MaxDownload < 0 || o.MaxSize < 0 || o.Timeout < 0 {
		return nil, fmt.Errorf("bill: %w: a limit is negative", ErrRequest)
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	bill, err := newBillFile(o)
	if err != nil {
		return nil, fmt.Errorf("bill: %w", err)
	}
	if err := c.fill(ctx, bill, day, o); err != nil {
		return nil, errors.Join(err, bill.Close())
	}
	return bill, nil
}

// fill applies and downloads. An address lives for five minutes, in older texts
// for thirty seconds: one that is refused is asked for once more.
func (c *Client) fill(ctx context.Context, bill *BillFile, day time.Time, o BillOptions) error {
	for again := false; ; again = true {
		link, err := c.applyBill(ctx, day)
		if err != nil {
			return err
		}
		err = c.downloadBill(ctx, bill, link, day, o)
		var refusal *Error
		expired := errors.As(err, &refusal) && refusal.Status == http.StatusBadRequest
		if !expired || again {
			return err
		}
	}
}

// billLink is where a bill is, and what it must be.
type billLink struct{ base, target, sha1 string }

// applyBill asks where the bill is (申请交易账单).
func (c *Client) applyBill(ctx context.Context, day time.Time) (billLink, error) {
	var wire billLinkWire
	err := c.do(ctx, request{
		op: OpBill, method: http.MethodGet,
		target: "/v3/bill/tradebill?bill_date=" + day.Format(time.DateOnly) + "&bill_type=ALL&tar_type=GZIP",
		accept: c.verified(func(body []byte) error { return json.Unmarshal(body, &wire) }),
	})
	switch {
	case IsCode(err, "NO_STATEMENT_EXIST") && !errors.Is(err, ErrUnknown):
		return billLink{}, fmt.Errorf("%w: %w", ErrNoBill, err)
	case IsCode(err, "STATEMENT_CREATING") && !errors.Is(err, ErrUnknown):
		return billLink{}, fmt.Errorf("%w: %w", ErrBillNotReady, err)
	case err != nil:
		return billLink{}, err
	}
	link, err := c.readLink(wire)
	if err != nil {
		return billLink{}, fmt.Errorf("bill: %w: %w", ErrBillDamaged, err)
	}
	return link, nil
}

type billLinkWire struct {
	HashType    string `json:"hash_type"`
	HashValue   string `json:"hash_value"`
	DownloadURL string `json:"download_url"`
}

func (c *Client) readLink(wire billLinkWire) (billLink, error) {
	if !strings.EqualFold(wire.HashType, "SHA1") {
		return billLink{}, fmt.Errorf("its hash is a %.20q, not a SHA1", wire.HashType)
	}
	if sum, err := hex.DecodeString(wire.HashValue); err != nil || len(sum) != 20 {
		return billLink{}, errors.New("hash_value is not a SHA1 in hex")
	}
	base, target, err := c.splitDownloadURL(wire.DownloadURL)
	return billLink{base: base, target: target, sha1: strings.ToLower(wire.HashValue)}, err
}

// downloadBill takes the file (下载账单). The answer is not signed: what vouches
// for the file is the SHA1 in the signed answer before it. A chosen collision
// would have to be WeChat Pay's own.
func (c *Client) downloadBill(ctx context.Context, bill *BillFile, link billLink, day time.Time, o BillOptions) error {
	r := request{
		op: OpBillDownload, method: http.MethodGet, target: link.target, timeout: o.Timeout,
		receive: bill.receive,
		accept: func(ctx context.Context, _ answer) error {
			return bill.verify(ctx, link.sha1, c.cfg.Signer.MchID, day)
		},
	}
	if link.base != c.cfg.BaseURL {
		r.base = link.base // elsewhere the token may mean nothing
	}
	return c.do(ctx, r)
}

// beijing is the time of bills, which have no zone. There is no summer time.
func beijing() *time.Location { return time.FixedZone("CST", 8*60*60) }

// isGzip looks at the first bytes: what is told in headers depends on who
// unpacked it on the way. A bill starts with other ones.
func isGzip(head []byte) bool { return bytes.HasPrefix(head, []byte{0x1f, 0x8b}) }
