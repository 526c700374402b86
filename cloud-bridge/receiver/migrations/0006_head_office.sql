-- What head office edits, and publish sends down to the stores: a collection for each tenant, whose version grows with each
-- transaction that changes it.

-- The row is locked by whoever changes the collection, until the commit: who sees a version sees all that came before it.
CREATE TABLE head_office_versions (
    tenant     text PRIMARY KEY,
    version    bigint NOT NULL,
    changed_by xid8 NOT NULL
) WITH (fillfactor = 50);

-- Products. A null is left as the stores have it. Rows are not taken away: what a store has, it keeps.
CREATE TABLE head_office_products (
    tenant             text NOT NULL,
    sku                text NOT NULL,
    name               text,
    price_minor        bigint,
    -- In force from then on.
    next_price_minor   bigint,
    next_price_from    timestamptz,
    tax_class          text,
    department         text,
    barcode            text,
    description        text,
    by_weight          boolean,
    low_stock_at_milli bigint,
    -- All below is kept by a trigger. The version that the last change made.
    version            bigint NOT NULL,
    changed_at         timestamptz NOT NULL,
    -- When each field was written last: milliseconds since 1970, by the documents' names.
    field_at           jsonb NOT NULL,
    PRIMARY KEY (tenant, sku),
    CHECK ((next_price_minor IS NULL) = (next_price_from IS NULL))
);
CREATE INDEX ON head_office_products (tenant, version);

-- What was sent to each box last: one thing at a time, whoever of several sends it.
CREATE TABLE head_office_sent (
    store_id bigint NOT NULL,
    box      text NOT NULL,
    -- The version that the box had; null: none.
    base     bigint,
    version  bigint NOT NULL,
    sent_at  timestamptz NOT NULL,
    PRIMARY KEY (store_id, box)
) WITH (fillfactor = 50);

-- The version that this transaction makes.
CREATE FUNCTION head_office_version(of_tenant text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
BEGIN
    SELECT version INTO reached FROM head_office_versions
    WHERE tenant = of_tenant AND changed_by = pg_current_xact_id();
    IF NOT FOUND THEN
        INSERT INTO head_office_versions AS v (tenant, version, changed_by) VALUES (of_tenant, 1, pg_current_xact_id())
        ON CONFLICT (tenant) DO UPDATE SET version = v.version + 1, changed_by = excluded.changed_by
        RETURNING v.version INTO reached;
    END IF;
    RETURN reached;
END $$;

CREATE FUNCTION head_office_fields(product head_office_products) RETURNS jsonb LANGUAGE sql IMMUTABLE
    RETURN jsonb_build_object('name', product.name, 'price', product.price_minor, 'taxClass', product.tax_class,
        'department', product.department, 'barcode', product.barcode, 'description', product.description,
        'byWeight', product.by_weight, 'lowStockAt', product.low_stock_at_milli);

CREATE FUNCTION head_office_product_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    before jsonb := '{}';
BEGIN
    NEW.field_at := '{}';
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.tenant, NEW.sku) IS DISTINCT FROM (OLD.tenant, OLD.sku) THEN
            RAISE EXCEPTION 'a product keeps its tenant and its SKU';
        END IF;
        NEW.field_at := OLD.field_at;
        NEW.changed_at := OLD.changed_at;
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NULL;
        END IF;
        before := head_office_fields(OLD);
    END IF;
    -- Who sets the version alone wants the row sent again, as it is.
    IF TG_OP = 'INSERT' OR to_jsonb(NEW) - 'version' IS DISTINCT FROM to_jsonb(OLD) - 'version' THEN
        NEW.changed_at := moment;
    END IF;
    SELECT NEW.field_at || coalesce(jsonb_object_agg(key, floor(extract(epoch FROM moment) * 1000)::bigint), '{}')
    INTO NEW.field_at
    FROM jsonb_each(head_office_fields(NEW)) AS written
    WHERE written.value <> 'null' AND written.value IS DISTINCT FROM before -> written.key;
    NEW.version := head_office_version(NEW.tenant);
    RETURN NEW;
END $$;

CREATE TRIGGER changed BEFORE INSERT OR UPDATE ON head_office_products
    FOR EACH ROW EXECUTE FUNCTION head_office_product_changed();
