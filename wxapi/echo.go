package wxapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Echo has WeChat Pay send message back (商户签名验签测试). It moves no money and
// changes nothing: nil says that WeChat Pay takes this merchant's signatures and
// that the preferred key of [Config].Keys verifies its answers. Not every
// account need have it: expect [*Error] with 403 or 404, too.
// Source: 商户签名验签／加解密测试, POST /v3/security/echo.
func (c *Client) Echo(ctx context.Context, message string) error {
	body, err := json.Marshal(map[string]string{"echo_message": message})
	if err != nil {
		return fmt.Errorf("%s: %w", OpEcho, err)
	}
	return c.do(ctx, request{
		op: OpEcho, method: http.MethodPost, target: "/v3/security/echo", body: body,
		accept: c.verified(func(body []byte) error {
			var wire struct {
				Message string `json:"echo_message"`
			}
			if err := json.Unmarshal(body, &wire); err != nil {
				return err
			}
			if wire.Message != message {
				return errors.New("the echo is another message")
			}
			return nil
		}),
	})
}
