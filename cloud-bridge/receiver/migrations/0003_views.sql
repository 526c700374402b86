-- What head office looks at. Training, open, cancelled and voided sales count for nothing; a return takes off on its own day.

-- A business day of a store, as the box's own daily report has it: net = gross - discount - returned, tax included.
CREATE VIEW daily_sales AS
SELECT t.tenant, t.store, s.store_id, s.business_date, s.currency,
    count(*) FILTER (WHERE s.kind = 'sale')                                               AS sales,
    count(*) FILTER (WHERE s.kind = 'return')                                             AS returns,
    coalesce(sum(s.total_minor + s.discount_minor) FILTER (WHERE s.kind = 'sale'), 0)     AS gross_minor,
    coalesce(sum(s.discount_minor) FILTER (WHERE s.kind = 'sale'), 0)                     AS discount_minor,
    coalesce(sum(s.total_minor) FILTER (WHERE s.kind = 'return'), 0)                      AS returned_minor,
    sum(CASE s.kind WHEN 'return' THEN -s.total_minor ELSE s.total_minor END)             AS net_minor,
    sum(CASE s.kind WHEN 'return' THEN -s.tax_minor ELSE s.tax_minor END)                 AS tax_minor,
    sum(CASE s.kind WHEN 'return' THEN -s.rounding_minor ELSE s.rounding_minor END)       AS rounding_minor
FROM sales s JOIN stores t ON t.id = s.store_id
WHERE NOT s.training AND s.status IN ('completed', 'partiallyRefunded', 'refunded')
GROUP BY t.tenant, t.store, s.store_id, s.business_date, s.currency;

CREATE VIEW stock_levels AS
SELECT t.tenant, t.store, k.store_id, k.sku, p.name, p.department, k.quantity_milli,
    k.quantity_milli::numeric / 1000                         AS quantity,
    p.low_stock_at_milli::numeric / 1000                     AS low_stock_at,
    coalesce(k.quantity_milli <= p.low_stock_at_milli, false) AS low
FROM stock k JOIN stores t ON t.id = k.store_id
LEFT JOIN products p ON p.store_id = k.store_id AND p.sku = k.sku;

-- What each product did on a business day, and its place among the store's by money.
CREATE VIEW top_products AS
SELECT t.tenant, t.store, d.*, rank() OVER (PARTITION BY d.store_id, d.business_date ORDER BY d.net_minor DESC) AS place
FROM (
    SELECT s.store_id, s.business_date, i.sku, max(i.name) AS name,
        sum(CASE s.kind WHEN 'return' THEN -i.quantity_milli ELSE i.quantity_milli END)::numeric / 1000 AS quantity,
        sum(CASE s.kind WHEN 'return' THEN -i.total_minor ELSE i.total_minor END)                       AS net_minor
    FROM sales s JOIN sale_items i ON i.store_id = s.store_id AND i.sale_id = s.id
    WHERE NOT s.training AND NOT i.voided AND s.status IN ('completed', 'partiallyRefunded', 'refunded')
    GROUP BY s.store_id, s.business_date, i.sku
) d JOIN stores t ON t.id = d.store_id;
