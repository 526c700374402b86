-- The shop as head office asks about it: made from the records, and from nothing else.
--
-- Money is bigint minor units of the row's or the store's currency (*_minor), quantities are bigint thousandths (*_milli): the
-- domain's own integers, so that nothing is rounded and sums are exact and cheap; the views show them as decimals. Personal data
-- stays sealed: subject (16 bytes), nonce (24), ciphertext.
--
-- There are no foreign keys: all rows of a sale are written by one transaction from one record, and checking each line again costs
-- more than writing it.
--
-- recorded_at, series, epoch, seq name the record that a row stands on, and order the versions of a row that came by two epochs.

CREATE TABLE sales (
    store_id           bigint NOT NULL,
    id                 uuid NOT NULL,
    started_at         timestamptz NOT NULL,
    completed_at       timestamptz,
    total_minor        bigint NOT NULL,
    tax_minor          bigint NOT NULL,
    discount_minor     bigint NOT NULL,
    rounding_minor     bigint NOT NULL,
    change_minor       bigint NOT NULL,
    due_minor          bigint NOT NULL,
    -- By how much it moves its customer's points.
    points             bigint NOT NULL,
    recorded_at        timestamptz NOT NULL,
    epoch              bigint NOT NULL,
    seq                bigint NOT NULL,
    series             integer NOT NULL,
    business_date      date NOT NULL,
    training           boolean NOT NULL,
    late               boolean NOT NULL,
    unlinked           boolean NOT NULL,
    -- 'sale' or 'return', whose amounts are what goes back.
    kind               text NOT NULL,
    status             text NOT NULL,
    currency           text NOT NULL,
    terminal           text NOT NULL,
    cashier            text,
    receipt            text,
    provisional_number text,
    customer_id        uuid,
    -- The sale that this is a return of.
    original_id        uuid,
    shift_id           uuid,
    reason             bytea,
    PRIMARY KEY (store_id, id)
) PARTITION BY HASH (store_id);
CREATE INDEX ON sales (store_id, business_date);
CREATE INDEX ON sales (store_id, customer_id) WHERE customer_id IS NOT NULL;

CREATE TABLE sale_items (
    store_id               bigint NOT NULL,
    sale_id                uuid NOT NULL,
    number                 integer NOT NULL,
    tax_rate_millipercent  integer NOT NULL,
    id                     uuid NOT NULL,
    -- Null for goods that the catalogue did not know: they move no stock.
    product_number         bigint,
    quantity_milli         bigint NOT NULL,
    returned_milli         bigint NOT NULL,
    unit_price_minor       bigint NOT NULL,
    discount_minor         bigint NOT NULL,
    tax_minor              bigint NOT NULL,
    total_minor            bigint NOT NULL,
    voided                 boolean NOT NULL,
    sku                    text NOT NULL,
    name                   text NOT NULL,
    department             text NOT NULL,
    original_reference     text,
    reason                 bytea,
    PRIMARY KEY (store_id, sale_id, number)
) PARTITION BY HASH (store_id);

CREATE TABLE payments (
    store_id             bigint NOT NULL,
    sale_id              uuid NOT NULL,
    number               integer NOT NULL,
    id                   uuid NOT NULL,
    amount_minor         bigint NOT NULL,
    paid_at              timestamptz NOT NULL,
    method               text NOT NULL,
    status               text NOT NULL,
    -- The gateway's or the slip's. Never a card number.
    reference            text,
    foreign_currency     text,
    foreign_amount_minor bigint,
    foreign_rate         text,
    PRIMARY KEY (store_id, sale_id, number)
) PARTITION BY HASH (store_id);
CREATE INDEX ON payments (store_id, reference) WHERE reference IS NOT NULL;

-- By SKU, which stays a product's for ever; two boxes that went on from one backup may give one number to two products.
CREATE TABLE products (
    store_id           bigint NOT NULL,
    sku                text NOT NULL,
    number             bigint NOT NULL,
    price_minor        bigint NOT NULL,
    low_stock_at_milli bigint,
    version            bigint NOT NULL,
    by_weight          boolean NOT NULL,
    name               text NOT NULL,
    tax_class          text NOT NULL,
    department         text NOT NULL,
    barcode            text,
    description        text,
    recorded_at        timestamptz NOT NULL,
    series             integer NOT NULL,
    epoch              bigint NOT NULL,
    seq                bigint NOT NULL,
    PRIMARY KEY (store_id, sku)
) PARTITION BY HASH (store_id);

CREATE TABLE stock (
    store_id       bigint NOT NULL,
    quantity_milli bigint NOT NULL,
    sku            text NOT NULL,
    PRIMARY KEY (store_id, sku)
) PARTITION BY HASH (store_id);

CREATE TABLE inventory_adjustments (
    store_id       bigint NOT NULL,
    id             uuid NOT NULL,
    product_number bigint NOT NULL,
    change_milli   bigint NOT NULL,
    -- As the box knew it.
    level_milli    bigint NOT NULL,
    adjusted_at    timestamptz NOT NULL,
    business_date  date NOT NULL,
    sku            text NOT NULL,
    reason         text NOT NULL,
    user_id        text,
    note           bytea,
    PRIMARY KEY (store_id, id)
) PARTITION BY HASH (store_id);
CREATE INDEX ON inventory_adjustments (store_id, sku, adjusted_at);

-- An erased customer keeps a row without anything personal, so that a late record does not bring the person back.
CREATE TABLE customers (
    store_id    bigint NOT NULL,
    id          uuid NOT NULL,
    version     bigint,
    -- Name, address, e-mail, telephone in one sealed envelope, and keyed hashes to find them by.
    profile     bytea,
    email_hash  bytea,
    phone_hash  bytea,
    consent     text,
    erased_at   timestamptz,
    recorded_at timestamptz NOT NULL,
    series      integer NOT NULL,
    epoch       bigint NOT NULL,
    seq         bigint NOT NULL,
    PRIMARY KEY (store_id, id)
) PARTITION BY HASH (store_id);

CREATE TABLE customer_points (
    store_id    bigint NOT NULL,
    customer_id uuid NOT NULL,
    points      bigint NOT NULL,
    PRIMARY KEY (store_id, customer_id)
) PARTITION BY HASH (store_id);

-- Rows that change with every sale leave room on their page for the next version.
DO $$
DECLARE
    name text;
    room text;
BEGIN
    FOREACH name IN ARRAY ARRAY['sales', 'sale_items', 'payments', 'products', 'stock', 'inventory_adjustments', 'customers',
                                'customer_points'] LOOP
        room := CASE WHEN name IN ('stock', 'customer_points') THEN ' WITH (fillfactor = 50)' ELSE '' END;
        FOR part IN 0..7 LOOP
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS 8, REMAINDER %s)%s',
                           name || '_' || part, name, part, room);
        END LOOP;
    END LOOP;
END $$;
