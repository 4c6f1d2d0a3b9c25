-- The table that the team has had for years, and the four columns that it
-- adds for the kit. Times are integers: microseconds since 1970 in UTC, NULL
-- for "not yet". The remarks are for other engines.

CREATE TABLE IF NOT EXISTS orders (
    order_sn       VARCHAR(32)  NOT NULL PRIMARY KEY, -- by case: MySQL ascii_bin; PostgreSQL is exact by itself
    buyer_id       VARCHAR(200) NOT NULL,             -- MySQL: utf8mb4, never utf8
    title          VARCHAR(200) NOT NULL,
    amount_fen     BIGINT       NOT NULL,
    state          VARCHAR(10)  NOT NULL,             -- new, paid, closed
    paid_at        BIGINT,
    created_at     BIGINT,

    -- ALTER TABLE orders ADD COLUMN …
    pays_for       VARCHAR(200) NOT NULL DEFAULT '',  -- Order.Ref, exact: utf8mb4_0900_bin, MariaDB utf8mb4_nopad_bin
    version        BIGINT,
    next_action_at BIGINT,
    wxpay          TEXT                               -- MySQL: LONGTEXT; NULL for orders that others are paid by
);

CREATE INDEX IF NOT EXISTS orders_due      ON orders (next_action_at);
CREATE INDEX IF NOT EXISTS orders_pays_for ON orders (pays_for, created_at);
CREATE INDEX IF NOT EXISTS orders_paid     ON orders (paid_at, order_sn);

-- What happened to an order. A write makes one version, so version and place
-- count the events without asking for the last one.
CREATE TABLE IF NOT EXISTS order_events (
    order_sn VARCHAR(32) NOT NULL REFERENCES orders (order_sn),
    version  BIGINT      NOT NULL,
    place    INTEGER     NOT NULL,
    event    TEXT        NOT NULL, -- MySQL: LONGTEXT
    PRIMARY KEY (order_sn, version, place)
);
