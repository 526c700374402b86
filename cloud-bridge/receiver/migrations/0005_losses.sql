-- What became of head office's word in the stores, where it was not simply taken. Made from the records.
--
-- epoch and seq name the record, number the place in it.

-- A value of a product's field that was given up for another: one of them was made in the store. Amounts are minor units.
CREATE TABLE product_losses (
    store_id      bigint NOT NULL,
    epoch         bigint NOT NULL,
    seq           bigint NOT NULL,
    number        integer NOT NULL,
    -- The store's value was given up; or head office's.
    stores        boolean NOT NULL,
    happened_at   timestamptz NOT NULL,
    sku           text NOT NULL,
    field         text NOT NULL,
    kept          text NOT NULL,
    given_up      text NOT NULL,
    PRIMARY KEY (store_id, epoch, seq, number)
);
CREATE INDEX ON product_losses (store_id, happened_at);

-- Documents of head office that a store could not take.
CREATE TABLE refused_products (
    store_id      bigint NOT NULL,
    epoch         bigint NOT NULL,
    seq           bigint NOT NULL,
    number        integer NOT NULL,
    happened_at   timestamptz NOT NULL,
    sku           text NOT NULL,
    why           text NOT NULL,
    PRIMARY KEY (store_id, epoch, seq, number)
);
CREATE INDEX ON refused_products (store_id, happened_at);
