-- +goose Up
-- Money is integer fen. Times are integers: microseconds since 1970 in UTC,
-- NULL for "not yet". Numbers and refs are compared byte by byte, so by case.

-- Which of these files the tables have seen.
CREATE TABLE pay_order_schema (
    version         integer NOT NULL PRIMARY KEY
);

CREATE TABLE pay_order_record (
    -- The tutorials' columns.
    out_trade_no    text    COLLATE "C" NOT NULL PRIMARY KEY,
    user_id         text    COLLATE "C" NOT NULL,
    goods_id        text    COLLATE "C" NOT NULL,
    total           bigint  NOT NULL,
    amount          text    NOT NULL,            -- derived from total: 1.00元
    pay_type        integer NOT NULL DEFAULT 0,  -- 0: WeChat Pay
    pay_status      integer NOT NULL DEFAULT 0,  -- 0 unpaid, 1 paid, 2 closed
    pay_status_des  text    NOT NULL,            -- derived from pay_status
    appid           text    NOT NULL,
    device_ip       text    NOT NULL,
    prepay_id       text    NOT NULL,
    trade_no        text    NOT NULL,            -- WeChat Pay's transaction_id
    pay_time        bigint,
    app_name        text    NOT NULL,
    app_channel     text    NOT NULL,
    device          text    NOT NULL,
    platform        bigint  NOT NULL DEFAULT 0,
    order_number    bigint  NOT NULL DEFAULT 0,
    description     text    NOT NULL,

    -- What the kit needs besides.
    ref             text    COLLATE "C" NOT NULL, -- the application's own order, or empty
    version         bigint  NOT NULL,            -- compared and swapped by every write
    write_id        text    NOT NULL,            -- names the last write: was it the one whose answer got lost?
    currency        text    NOT NULL,
    product         text    NOT NULL,
    mchid           text    NOT NULL,
    openid          text    NOT NULL,
    attach          text    NOT NULL,
    trace_id        text    NOT NULL,            -- W3C trace id of the request that placed it
    prepay_request  text    NOT NULL,            -- frozen: sent again byte for byte
    expires_at      bigint,
    code_url        text    NOT NULL,
    h5_url          text    NOT NULL,
    prepaid_at      bigint,
    placing_until   bigint,                      -- somebody is asking WeChat for a credential
    on_its_way_until bigint,                     -- a prepay may still reach WeChat
    trade_state     text    NOT NULL,
    payer_total     bigint  NOT NULL DEFAULT 0,
    closed_at       bigint,
    refunds         text    NOT NULL,            -- JSON, see orderstore.Refund; empty for none
    refund_status   text    NOT NULL,            -- of the refund that most needs attention
    refunded        bigint  NOT NULL DEFAULT 0,  -- what has gone back
    given_back      text    NOT NULL,            -- why it is refunded instead of handed over
    ref_paid_by     text    NOT NULL,            -- on the first attempt of a ref: which attempt pays
    anomaly         text    NOT NULL,            -- a claim of WeChat's that does not fit
    next_action_at  bigint,                      -- the outbox: when to look again
    asked_at        bigint,                      -- when WeChat was last asked about it
    hand_over_at    bigint,                      -- when the application is to be called
    hand_over_tries bigint  NOT NULL DEFAULT 0,
    handed_over_at  bigint,
    created_at      bigint,
    updated_at      bigint
);

-- Most orders have nothing left to do and are in neither index.
CREATE INDEX pay_order_record_due ON pay_order_record (next_action_at)
    WHERE next_action_at IS NOT NULL;
CREATE INDEX pay_order_record_ref ON pay_order_record (ref, created_at)
    WHERE ref <> '';
CREATE INDEX pay_order_record_paid ON pay_order_record (pay_time, out_trade_no)
    WHERE pay_time IS NOT NULL;

-- The history of an order.
CREATE TABLE pay_order_event (
    out_trade_no    text    COLLATE "C" NOT NULL REFERENCES pay_order_record (out_trade_no),
    seq             bigint  NOT NULL,            -- 1000 times the order's version, plus 1, 2, …
    at              bigint,
    kind            text    NOT NULL,
    source          text    NOT NULL,
    id              text    NOT NULL,
    serial          text    NOT NULL,
    note            text    NOT NULL,
    PRIMARY KEY (out_trade_no, seq)
);

-- The reference catalogue.
CREATE TABLE goods_info (
    goods_id        text    COLLATE "C" NOT NULL PRIMARY KEY CHECK (goods_id <> ''),
    description     text    NOT NULL,
    total           bigint  NOT NULL
);

INSERT INTO pay_order_schema (version) VALUES (1);
