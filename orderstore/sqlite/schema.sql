-- Schema version 2.
-- Money is integer fen. Times are integers: microseconds since 1970 in UTC,
-- NULL for "not yet".

CREATE TABLE pay_order_record (
    -- The tutorials' columns.
    out_trade_no    TEXT    NOT NULL PRIMARY KEY COLLATE BINARY,
    user_id         TEXT    NOT NULL,
    goods_id        TEXT    NOT NULL,
    total           INTEGER NOT NULL,
    amount          TEXT    NOT NULL,            -- derived from total: 1.00元
    pay_type        INTEGER NOT NULL DEFAULT 0,  -- 0: WeChat Pay
    pay_status      INTEGER NOT NULL DEFAULT 0,  -- 0 unpaid, 1 paid, 2 closed
    pay_status_des  TEXT    NOT NULL,            -- derived from pay_status
    appid           TEXT    NOT NULL,
    device_ip       TEXT    NOT NULL,
    prepay_id       TEXT    NOT NULL,
    trade_no        TEXT    NOT NULL,            -- WeChat Pay's transaction_id
    pay_time        INTEGER,
    app_name        TEXT    NOT NULL,
    app_channel     TEXT    NOT NULL,
    device          TEXT    NOT NULL,
    platform        INTEGER NOT NULL DEFAULT 0,
    order_number    INTEGER NOT NULL DEFAULT 0,
    description     TEXT    NOT NULL,

    -- What the kit needs besides.
    ref             TEXT    NOT NULL,            -- the application's own order, or empty
    version         INTEGER NOT NULL,            -- compared and swapped by every write
    currency        TEXT    NOT NULL,
    product         TEXT    NOT NULL,
    mchid           TEXT    NOT NULL,
    openid          TEXT    NOT NULL,
    attach          TEXT    NOT NULL,
    trace_id        TEXT    NOT NULL,            -- W3C trace id of the request that placed it
    prepay_request  TEXT    NOT NULL,            -- frozen: sent again byte for byte
    expires_at      INTEGER,
    code_url        TEXT    NOT NULL,
    h5_url          TEXT    NOT NULL,
    prepaid_at      INTEGER,
    placing_until   INTEGER,                     -- somebody is asking WeChat for a credential
    on_its_way_until INTEGER,                    -- a prepay may still reach WeChat
    trade_state     TEXT    NOT NULL,
    payer_total     INTEGER NOT NULL DEFAULT 0,
    closed_at       INTEGER,
    refunds         TEXT    NOT NULL,            -- JSON, see orderstore.Refund; empty for none
    refund_status   TEXT    NOT NULL,            -- of the refund that most needs attention
    refunded        INTEGER NOT NULL DEFAULT 0,  -- what has gone back
    given_back      TEXT    NOT NULL,            -- why it is refunded instead of handed over
    ref_paid_by     TEXT    NOT NULL,            -- on the first attempt of a ref: which attempt pays
    anomaly         TEXT    NOT NULL,            -- a claim of WeChat's that does not fit
    next_action_at  INTEGER,                     -- the outbox: when to look again
    asked_at        INTEGER,                     -- when WeChat was last asked about it
    hand_over_at    INTEGER,                     -- when the application is to be called
    hand_over_tries INTEGER NOT NULL DEFAULT 0,
    handed_over_at  INTEGER,
    created_at      INTEGER,
    updated_at      INTEGER
) STRICT;

-- Most orders have nothing left to do and are in neither index.
CREATE INDEX pay_order_record_due ON pay_order_record (next_action_at)
    WHERE next_action_at IS NOT NULL;
CREATE INDEX pay_order_record_ref ON pay_order_record (ref, created_at)
    WHERE ref <> '';
CREATE INDEX pay_order_record_paid ON pay_order_record (pay_time, out_trade_no)
    WHERE pay_time IS NOT NULL;

-- The history of an order, kept together by the primary key.
CREATE TABLE pay_order_event (
    out_trade_no    TEXT    NOT NULL COLLATE BINARY REFERENCES pay_order_record (out_trade_no),
    seq             INTEGER NOT NULL,            -- 1000 times the order's version, plus 1, 2, …
    at              INTEGER,
    kind            TEXT    NOT NULL,
    source          TEXT    NOT NULL,
    id              TEXT    NOT NULL,
    serial          TEXT    NOT NULL,
    note            TEXT    NOT NULL,
    PRIMARY KEY (out_trade_no, seq)
) STRICT, WITHOUT ROWID;

-- The reference catalogue.
CREATE TABLE goods_info (
    goods_id        TEXT    NOT NULL PRIMARY KEY CHECK (goods_id <> ''),
    description     TEXT    NOT NULL,
    total           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
