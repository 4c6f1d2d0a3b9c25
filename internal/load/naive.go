package main

import (
	"crypto"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// naive is the handler that a careful developer writes by the recipe of the
// official SDK: verify, decrypt, decode, and then one transaction that looks at
// the order and marks it paid. It has the tutorials' table and no history, so it
// writes less than the kit does.
type naive struct {
	public *rsa.PublicKey
	aead   cipher.AEAD
	db     *sql.DB
	now    func() time.Time
	log    *slog.Logger
}

// naiveSchema is the tutorials' table.
const naiveSchema = `CREATE TABLE pay_order_record (
	id INTEGER PRIMARY KEY, user_id TEXT NOT NULL, goods_id TEXT NOT NULL, out_trade_no TEXT NOT NULL UNIQUE,
	total INTEGER NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL, pay_type INTEGER NOT NULL, pay_status INTEGER NOT NULL,
	pay_status_des TEXT NOT NULL, mchid TEXT NOT NULL, appid TEXT NOT NULL, device_ip TEXT NOT NULL, prepay_id TEXT NOT NULL,
	trade_no TEXT NOT NULL, pay_time TEXT NOT NULL, description TEXT NOT NULL)`

// openNaive opens the file as a careful developer does: a write-ahead log, time
// to wait for a lock, transactions that take the lock first, for otherwise most
// of them fail, and the full sync that money is owed.
func openNaive(path string) (*sql.DB, error) {
	return sql.Open("sqlite3", naiveSource(path))
}

func naiveSource(path string) string {
	return "file:" + path + "?_journal_mode=WAL&_busy_timeout=10000&_txlock=immediate&_synchronous=FULL"
}

func newNaive(a account, db *sql.DB, log *slog.Logger) (*naive, error) {
	block, _ := pem.Decode([]byte(a.WeChat))
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("WeChat Pay signs with RSA")
	}
	aead, err := newAEAD()
	return &naive{key, aead, db, a.clock(), log}, err
}

func (n *naive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t, err := n.read(r)
	if err != nil {
		n.log.WarnContext(r.Context(), "notification refused", "cause", err)
		http.Error(w, `{"code":"FAIL"}`, http.StatusUnauthorized)
		return
	}
	if err := n.store(r, t); err != nil {
		n.log.ErrorContext(r.Context(), "payment not stored", "order_no", t.OutTradeNo, "cause", err)
		http.Error(w, `{"code":"FAIL"}`, http.StatusInternalServerError)
		return
	}
	n.log.InfoContext(r.Context(), "payment stored", "order_no", t.OutTradeNo, "transaction_id", t.TransactionID)
	w.WriteHeader(http.StatusNoContent)
}

func (n *naive) read(r *http.Request) (t payment, err error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return t, err
	}
	if err := n.verify(r.Header, body); err != nil {
		return t, err
	}
	var sealed envelope
	if err := json.Unmarshal(body, &sealed); err != nil {
		return t, err
	}
	ciphertext, err := base64.StdEncoding.DecodeString(sealed.Resource.Ciphertext)
	if err != nil {
		return t, err
	}
	plain, err := n.aead.Open(nil, []byte(sealed.Resource.Nonce), ciphertext, []byte(sealed.Resource.AssociatedData))
	if err != nil {
		return t, err
	}
	return t, json.Unmarshal(plain, &t)
}

func (n *naive) verify(h http.Header, body []byte) error {
	seconds, err := strconv.ParseInt(h.Get("Wechatpay-Timestamp"), 10, 64)
	if err != nil || n.now().Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute || h.Get("Wechatpay-Serial") != publicKeyID {
		return errors.New("stale, or of another key")
	}
	signature, err := base64.StdEncoding.DecodeString(h.Get("Wechatpay-Signature"))
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(h.Get("Wechatpay-Timestamp") + "\n" + h.Get("Wechatpay-Nonce") + "\n" + string(body) + "\n"))
	return rsa.VerifyPKCS1v15(n.public, crypto.SHA256, digest[:], signature)
}

func (n *naive) store(r *http.Request, t payment) error {
	tx, err := n.db.BeginTx(r.Context(), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var status, total int64
	var mchid, appid, currency string
	err = tx.QueryRowContext(r.Context(), "SELECT pay_status, total, mchid, appid, currency FROM pay_order_record WHERE out_trade_no = ?",
		t.OutTradeNo).Scan(&status, &total, &mchid, &appid, &currency)
	switch {
	case err != nil:
		return err
	case status == 1:
		return nil
	case t.TradeState != "SUCCESS" || total != t.Amount.Total || mchid != t.MchID || appid != t.AppID || currency != t.Amount.Currency:
		return errors.New("not this order's payment")
	}
	if _, err := tx.ExecContext(r.Context(), "UPDATE pay_order_record SET pay_status = 1, pay_status_des = '已支付', trade_no = ?, pay_time = ? WHERE out_trade_no = ?",
		t.TransactionID, t.SuccessTime, t.OutTradeNo); err != nil {
		return err
	}
	return tx.Commit()
}
