-- Orders and all that happens to them. Every row hangs on its order; money in minor units.
CREATE TABLE IF NOT EXISTS orders (
    seq bigserial UNIQUE,
    id text PRIMARY KEY,
    user_id text NOT NULL,
    state text NOT NULL,
    line text NOT NULL,
    merchant text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL,
    contact text,
    payer text,
    paid_minor bigint NOT NULL DEFAULT 0,
    refunded_minor bigint NOT NULL DEFAULT 0 CHECK (refunded_minor <= paid_minor),
    pay_by timestamptz NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_of_a_user ON orders (user_id, seq);
CREATE INDEX IF NOT EXISTS orders_that_will_close ON orders (pay_by) WHERE state = 'open';

CREATE TABLE IF NOT EXISTS payments (
    seq bigserial UNIQUE,
    id text PRIMARY KEY,
    order_id text NOT NULL REFERENCES orders ON DELETE CASCADE,
    method text NOT NULL,
    number text NOT NULL,
    provider_number text,
    state text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    captured_minor bigint NOT NULL DEFAULT 0,
    instrument text,
    merchant text NOT NULL,
    created_at timestamptz NOT NULL,
    closed_at timestamptz,
    -- false: nobody asks its provider about it any more; so only by the defect notification_acked_before_commit.
    watched boolean NOT NULL DEFAULT true,
    -- another method was asked for, of another process than the one that works on this attempt
    unwanted boolean NOT NULL DEFAULT false,
    -- the process that works on it, by the connection that inserts it; the same of refunds and releases
    slot text NOT NULL DEFAULT coalesce(current_setting('payment_api.slot', true), '')
);
-- The rule against paying twice, where no race can get round it: one live attempt an order.
CREATE UNIQUE INDEX IF NOT EXISTS one_live_attempt ON payments (order_id)
    WHERE state IN ('created', 'sent', 'unknown');
CREATE INDEX IF NOT EXISTS payments_of_an_order ON payments (order_id, seq);
CREATE UNIQUE INDEX IF NOT EXISTS payments_by_number ON payments (method, number);
CREATE UNIQUE INDEX IF NOT EXISTS payments_by_provider_number ON payments (method, provider_number);
CREATE INDEX IF NOT EXISTS payments_to_resolve ON payments (created_at)
    WHERE state IN ('created', 'sent', 'unknown');
CREATE INDEX IF NOT EXISTS payments_to_watch ON payments (closed_at) WHERE state = 'closed';

CREATE TABLE IF NOT EXISTS refunds (
    seq bigserial UNIQUE,
    id text PRIMARY KEY,
    order_id text NOT NULL REFERENCES orders ON DELETE CASCADE,
    payment_id text NOT NULL REFERENCES payments ON DELETE CASCADE,
    method text NOT NULL,
    number text NOT NULL,
    provider_number text,
    state text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    reason text NOT NULL,
    created_at timestamptz NOT NULL,
    done_at timestamptz,
    slot text NOT NULL DEFAULT coalesce(current_setting('payment_api.slot', true), '')
);
CREATE INDEX IF NOT EXISTS refunds_of_an_order ON refunds (order_id, seq);
CREATE UNIQUE INDEX IF NOT EXISTS refunds_by_number ON refunds (method, number);
CREATE UNIQUE INDEX IF NOT EXISTS refunds_by_provider_number ON refunds (method, provider_number);
CREATE INDEX IF NOT EXISTS refunds_to_send ON refunds (created_at) WHERE state = 'pending';

CREATE TABLE IF NOT EXISTS transitions (
    seq bigserial PRIMARY KEY,
    kind text NOT NULL,
    subject text NOT NULL,
    order_id text NOT NULL REFERENCES orders ON DELETE CASCADE,
    from_state text,
    to_state text NOT NULL,
    at timestamptz NOT NULL,
    build text NOT NULL DEFAULT coalesce(current_setting('payment_api.release', true), '')
);
CREATE INDEX IF NOT EXISTS transitions_of_an_order ON transitions (order_id);

-- What is still to be told to dispatch: one row an order, booked in the transaction that makes the order paid.
CREATE TABLE IF NOT EXISTS releases (
    order_id text PRIMARY KEY REFERENCES orders ON DELETE CASCADE,
    booked_at timestamptz NOT NULL,
    done_at timestamptz,
    slot text NOT NULL DEFAULT coalesce(current_setting('payment_api.slot', true), '')
);
CREATE INDEX IF NOT EXISTS releases_to_send ON releases (booked_at) WHERE done_at IS NULL;

CREATE TABLE IF NOT EXISTS idempotency_keys (
    user_id text NOT NULL,
    key text NOT NULL,
    digest bytea NOT NULL,
    order_id text NOT NULL REFERENCES orders ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    result_id text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX IF NOT EXISTS keys_of_an_order ON idempotency_keys (order_id);

-- Payment attempts that were answered busy and so have no other row; `id` keeps one that was spooled from coming twice.
CREATE TABLE IF NOT EXISTS refusals (
    seq bigserial PRIMARY KEY,
    id text UNIQUE,
    order_id text NOT NULL REFERENCES orders ON DELETE CASCADE,
    method text,
    at timestamptz NOT NULL,
    reason text NOT NULL
);
CREATE INDEX IF NOT EXISTS refusals_of_an_order ON refusals (order_id);

-- Orders that an outage touched, once for each reason. Neither this table nor the next refers to `orders` by a key:
-- what was given stays given, and a sweep over many orders must lock none of them.
CREATE TABLE IF NOT EXISTS affected (
    seq bigserial PRIMARY KEY,
    order_id text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    UNIQUE (order_id, reason)
);

-- The rule against compensating twice: a voucher's id is made of its order's.
CREATE TABLE IF NOT EXISTS vouchers (
    seq bigserial UNIQUE,
    id text PRIMARY KEY,
    order_id text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS vouchers_of_an_order ON vouchers (order_id);
CREATE INDEX IF NOT EXISTS decisions ON transitions (at)
    WHERE kind = 'payment' AND from_state IN ('created', 'sent', 'unknown');
CREATE INDEX IF NOT EXISTS refunds_unasked ON refunds (created_at) WHERE reason <> 'customer';

-- Differences between these books and the providers' bills; one stays, whatever becomes of its order.
CREATE TABLE IF NOT EXISTS discrepancies (
    seq bigserial PRIMARY KEY,
    provider text NOT NULL,
    number text NOT NULL,
    order_id text,
    kind text NOT NULL,
    amount_minor bigint NOT NULL,
    at timestamptz NOT NULL,
    UNIQUE (provider, number, kind)
);

-- The processes that share this database, each good until its lease is over.
CREATE TABLE IF NOT EXISTS workers (
    slot text PRIMARY KEY,
    release text NOT NULL,
    started_at timestamptz NOT NULL,
    until timestamptz NOT NULL
);
