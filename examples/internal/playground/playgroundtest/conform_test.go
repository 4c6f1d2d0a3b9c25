package playgroundtest_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/examples/internal/playground/playgroundtest"
)

// newMux mounts the kit on the router of the standard library.
func newMux(o wxpay.Options) (http.Handler, *wxpay.Kit, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", home)
	kit, err := wxpay.Mount(mux, o)
	return mux, kit, err
}

func home(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the app's own page\n") }

// newStripped gives the kit a place that it need not know of.
func newStripped(o wxpay.Options) (http.Handler, *wxpay.Kit, error) {
	mux := http.NewServeMux()
	kit, err := wxpay.New(o)
	mux.Handle("/api/v1/wx/", http.StripPrefix("/api/v1/wx", kit))
	return mux, kit, err
}

// newStrippedBare strips a slash too many.
func newStrippedBare(o wxpay.Options) (http.Handler, *wxpay.Kit, error) {
	mux := http.NewServeMux()
	kit, err := wxpay.New(o)
	mux.Handle("/api/v1/wx/", http.StripPrefix("/api/v1/wx/", kit))
	return mux, kit, err
}

// newDeeper leaves it to the kit to find its prefix.
func newDeeper(o wxpay.Options) (http.Handler, *wxpay.Kit, error) {
	mux := http.NewServeMux()
	kit, err := wxpay.New(o)
	mux.Handle("/api/v1/", kit)
	return mux, kit, err
}

func newElsewhere(o wxpay.Options) (http.Handler, *wxpay.Kit, error) {
	o.Prefix = "/shop/wx"
	return newMux(o)
}

func newAlone(o wxpay.Options) (http.Handler, *wxpay.Kit, error) {
	kit, err := wxpay.New(o)
	return kit, kit, err
}

// TestConform runs the suite of all routers over net/http.
func TestConform(t *testing.T) {
	t.Parallel()
	playgroundtest.ConformAll(t, []playgroundtest.Mounting{
		{Name: "ServeMux", At: "/pay", New: newMux},
		{Name: "StripPrefix", At: "/api/v1/wx", New: newStripped},
		{Name: "StripPrefix with a slash too many", At: "/api/v1/wx", New: newStrippedBare},
		{Name: "deeper", At: "/api/v1/pay", New: newDeeper},
		{Name: "another prefix", At: "/shop/wx", New: newElsewhere},
		{Name: "the kit alone", At: "/pay", New: newAlone},
		{Name: "the kit alone, deeper", At: "/pay/shops/7/pay", New: newAlone},
	})
}
