-- What came, as it came: the raw truth. All else can be made from these tables again.
--
-- store_id is the distribution column: every key begins with it, and no constraint reaches from one store to another, so that
-- stores can be spread over machines. An epoch's 64-bit name is kept as the bigint of the same bits; epoch_text() shows it as the
-- boxes write it.

CREATE FUNCTION epoch_text(epoch bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lpad(to_hex(epoch), 16, '0');

CREATE TABLE stores (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant            text NOT NULL,
    store             text NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    -- Envelopes that were refused as forks, those that quarantine has no room for included.
    forks             bigint NOT NULL DEFAULT 0,
    -- From the newest configuration; null until one came.
    name              text,
    address           text,
    currency          text,
    time_zone         text,
    cut_off_minutes   integer,
    -- What a loyalty point is worth as a tender; zero where none can be spent.
    point_worth_minor bigint NOT NULL DEFAULT 0,
    -- Which record that was: recorded_at, then the epoch's receipt series, epoch and seq order versions in all tables.
    recorded_at       timestamptz,
    series            integer,
    epoch             bigint,
    seq               bigint,
    UNIQUE (tenant, store)
) WITH (fillfactor = 70);

-- How far each epoch is here: all records from 1 to seq.
CREATE TABLE heads (
    store_id     bigint NOT NULL,
    epoch        bigint NOT NULL,
    seq          bigint NOT NULL,
    hash         bytea NOT NULL,
    -- The record that the epoch continues, which may not be here (yet).
    parent_epoch bigint,
    parent_seq   bigint,
    parent_hash  bytea,
    -- The number of its receipt series, which grows from epoch to epoch; 0 where that record could not be read.
    series       integer NOT NULL,
    -- The box that sent it last.
    box          text NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (store_id, epoch)
) WITH (fillfactor = 50);

-- A record's bytes are: version 1, epoch and seq (little-endian), the hash of the record before, body. So they can be rebuilt, and
-- the chain verified, from these rows.
CREATE TABLE records (
    store_id bigint NOT NULL,
    epoch    bigint NOT NULL,
    seq      bigint NOT NULL,
    hash     bytea NOT NULL,
    body     bytea NOT NULL,
    PRIMARY KEY (store_id, epoch, seq)
) PARTITION BY HASH (store_id);

-- Records that this software cannot read (a newer box wrote them), or whose rows the database refused. They are in records, and are
-- read again after an update.
CREATE TABLE not_understood (
    store_id bigint NOT NULL,
    epoch    bigint NOT NULL,
    seq      bigint NOT NULL,
    why      text NOT NULL,
    PRIMARY KEY (store_id, epoch, seq)
);

-- Envelopes that do not continue what is here. The first 64 different ones of each store, at most 64 MiB: the first are the ones
-- that tell what happened. A box that sends the same one again is counted, not kept again.
CREATE TABLE quarantine (
    store_id  bigint NOT NULL,
    -- Of its last record, which stands for all before it in the chain.
    hash      bytea NOT NULL,
    first_seq bigint NOT NULL,
    epoch     bigint NOT NULL,
    last_seq  bigint NOT NULL,
    why       text NOT NULL,
    box       text NOT NULL,
    envelope  bytea NOT NULL,
    times     bigint NOT NULL DEFAULT 1,
    first_at  timestamptz NOT NULL DEFAULT now(),
    last_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (store_id, hash, first_seq)
);

-- What each box last said about itself.
CREATE TABLE boxes (
    store_id           bigint NOT NULL,
    box                text NOT NULL,
    online             boolean NOT NULL,
    version            text,
    head_epoch         bigint,
    head_seq           bigint,
    acknowledged_epoch bigint,
    acknowledged_seq   bigint,
    disk_free          bigint,
    devices            json,
    collections        json,
    -- By the box's clock.
    said_at            timestamptz,
    noted_at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (store_id, box)
) WITH (fillfactor = 50);

DO $$
BEGIN
    FOR part IN 0..7 LOOP
        EXECUTE format('CREATE TABLE records_%s PARTITION OF records FOR VALUES WITH (MODULUS 8, REMAINDER %s)', part, part);
    END LOOP;
END $$;
