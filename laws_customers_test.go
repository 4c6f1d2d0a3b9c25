package wxpay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"

	"pgregory.net/rapid"
)

var (
	users = []string{"u1", "u2", "u3"}
	carts = []string{"cart-1", "cart-2"}
)

// send asks the shop as user, who hangs up after patience. It checks what
// every answer has: the envelope, with a code that is known and fits.
func (h *history) send(rt *rapid.T, patience time.Duration, method, path, user string, body any, header ...string) reply {
	raw := []byte(nil)
	if body != nil {
		raw, _ = json.Marshal(body)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, shopURL+path, bytes.NewReader(raw))
	if err != nil {
		h.violate("%v", err)
		return reply{}
	}
	req.Header.Set("X-User", user)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := h.client.Do(req)
	if err != nil {
		if ctx.Err() == nil {
			h.violate("%s %s: %v", method, path, err)
		}
		rt.Logf("%v %s %s %s %s %v: no answer", h.now(), user, method, path, raw, header)
		return reply{}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	r := reply{status: resp.StatusCode, header: resp.Header, raw: string(text)}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	rt.Logf("%v %s %s %s %s %v: %d %.120s", h.now(), user, method, path, raw, header, r.status, text)
	if status, known := codes[r.Code]; ctx.Err() == nil && (err != nil || !known || status != r.status) {
		h.violate("%s %s is answered %d %s, %v", method, path, r.status, text, err)
	}
	return r
}

// codes of the envelope, with their HTTP status, that this shop may answer. 500
// is none of them: nothing that happens here is beyond the kit.
var codes = map[int]int{200: 200, 301: 400, 403: 403, 409: 409, 429: 429, 502: 502, 503: 503}

// calm is how long somebody waits who does not hang up.
const calm = 10 * time.Minute

// now is the time since the history began, for the log.
func (h *history) now() time.Duration { return time.Since(h.start).Round(time.Millisecond) }

// anyOrder draws an order that is stored.
func (h *history) anyOrder(rt *rapid.T) (no, owner string) {
	h.mu.Lock()
	numbers := slices.Clone(h.numbers)
	h.mu.Unlock()
	if len(numbers) == 0 {
		return "", ""
	}
	no = numbers[len(numbers)-1-rapid.IntRange(0, len(numbers)-1).Draw(rt, "order, from the last")]
	o, err := h.store.Get(context.Background(), no)
	if err != nil {
		rt.Fatalf("%s: %v", no, err)
	}
	return no, o.UserID
}

// asker draws who asks for an order: hardly ever somebody else.
func asker(rt *rapid.T, owner string) string {
	if rapid.IntRange(0, 9).Draw(rt, "stranger") == 9 {
		return users[(slices.Index(users, owner)+1)%len(users)]
	}
	return owner
}

// own: nobody sees or moves the order of another.
func (h *history) own(r reply, user, owner string) {
	if user != owner && r.status != 403 && r.status != 503 {
		h.violate("%s is answered %d %s about an order of %s", user, r.status, r.raw, owner)
	}
}
