-- +goose Up
-- Money is integer fen. Times are integers: microseconds since 1970 in UTC,
-- NULL for "not yet". Everything is compared by case, for the tables have a
-- binary collation; it has to be utf8mb4, or an emoji is lost.
-- MySQL commits each statement alone: each can be run again.

CREATE TABLE IF NOT EXISTS pay_order_record (
    -- The tutorials' columns.
    out_trade_no    VARCHAR(32)  NOT NULL PRIMARY KEY,
    user_id         VARCHAR(255) NOT NULL,
    goods_id        VARCHAR(255) NOT NULL,
    total           BIGINT       NOT NULL,
    amount          VARCHAR(32)  NOT NULL,           -- derived from total: 1.00元
    pay_type        INT          NOT NULL DEFAULT 0, -- 0: WeChat Pay
    pay_status      INT          NOT NULL DEFAULT 0, -- 0 unpaid, 1 paid, 2 closed
    pay_status_des  VARCHAR(64)  NOT NULL,           -- derived from pay_status
    appid           VARCHAR(64)  NOT NULL,
    device_ip       VARCHAR(64)  NOT NULL,
    prepay_id       VARCHAR(255) NOT NULL,
    trade_no        VARCHAR(64)  NOT NULL,           -- WeChat Pay's transaction_id
    pay_time        BIGINT,
    app_name        TEXT         NOT NULL,
    app_channel     TEXT         NOT NULL,
    device          TEXT         NOT NULL,
    platform        BIGINT       NOT NULL DEFAULT 0,
    order_number    BIGINT       NOT NULL DEFAULT 0,
    description     TEXT         NOT NULL,

    -- What the kit needs besides.
    ref             VARCHAR(255) NOT NULL,           -- the application's own order, or empty
    version         BIGINT       NOT NULL,           -- compared and swapped by every write
    write_id        VARCHAR(32)  NOT NULL,           -- names the last write: was it the one whose answer got lost?
    currency        VARCHAR(16)  NOT NULL,
    product         VARCHAR(32)  NOT NULL,
    mchid           VARCHAR(64)  NOT NULL,
    openid          VARCHAR(255) NOT NULL,
    attach          VARCHAR(255) NOT NULL,
    trace_id        VARCHAR(32)  NOT NULL,           -- W3C trace id of the request that placed it
    prepay_request  MEDIUMTEXT   NOT NULL,           -- frozen: sent again byte for byte
    expires_at      BIGINT,
    code_url        TEXT         NOT NULL,
    h5_url          TEXT         NOT NULL,
    prepaid_at      BIGINT,
    placing_until   BIGINT,                          -- somebody is asking WeChat for a credential
    on_its_way_until BIGINT,                         -- a prepay may still reach WeChat
    trade_state     VARCHAR(32)  NOT NULL,
    payer_total     BIGINT       NOT NULL DEFAULT 0,
    closed_at       BIGINT,
    refunds         MEDIUMTEXT   NOT NULL,           -- JSON, see orderstore.Refund; empty for none
    refund_status   VARCHAR(32)  NOT NULL,           -- of the refund that most needs attention
    refunded        BIGINT       NOT NULL DEFAULT 0, -- what has gone back
    given_back      VARCHAR(64)  NOT NULL,           -- why it is refunded instead of handed over
    ref_paid_by     VARCHAR(32)  NOT NULL,           -- on the first attempt of a ref: which attempt pays
    anomaly         MEDIUMTEXT   NOT NULL,           -- a claim of WeChat's that does not fit
    next_action_at  BIGINT,                          -- the outbox: when to look again
    asked_at        BIGINT,                          -- when WeChat was last asked about it
    hand_over_at    BIGINT,                          -- when the application is to be called
    hand_over_tries BIGINT       NOT NULL DEFAULT 0,
    handed_over_at  BIGINT,
    created_at      BIGINT,
    updated_at      BIGINT,

    -- MySQL has no partial indexes; NULL and the empty ref are at their ends.
    KEY pay_order_record_due (next_action_at),
    KEY pay_order_record_ref (ref, created_at),
    KEY pay_order_record_paid (pay_time, out_trade_no)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The history of an order, kept together by the primary key. It has no foreign
-- key, with which tools that change tables online cannot work.
CREATE TABLE IF NOT EXISTS pay_order_event (
    out_trade_no    VARCHAR(32)  NOT NULL,
    seq             BIGINT       NOT NULL,           -- 1000 times the order's version, plus 1, 2, …
    at              BIGINT,
    kind            VARCHAR(64)  NOT NULL,
    source          VARCHAR(64)  NOT NULL,
    id              VARCHAR(255) NOT NULL,
    serial          VARCHAR(255) NOT NULL,
    note            MEDIUMTEXT   NOT NULL,
    PRIMARY KEY (out_trade_no, seq)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The reference catalogue.
CREATE TABLE IF NOT EXISTS goods_info (
    goods_id        VARCHAR(255) NOT NULL PRIMARY KEY,
    description     TEXT         NOT NULL,
    total           BIGINT       NOT NULL
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Which of these files the tables have seen.
CREATE TABLE IF NOT EXISTS pay_order_schema (
    version         INT          NOT NULL PRIMARY KEY
) ENGINE=InnoDB;

INSERT INTO pay_order_schema (version) VALUES (1) ON DUPLICATE KEY UPDATE version = VALUES(version);
