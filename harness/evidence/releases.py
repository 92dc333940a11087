"""Which tables say what was released, by whoever takes releases and not by the target's own word?

Only effects are here: a call that repeated a key did nothing. They count from
the watermark on, and only for this run.
"""

DECLARED_FULFILMENT = """
CREATE TABLE declared_fulfilment (       -- scenario.json, sources of kind "fulfilment", and conduct.json's word on each
    source VARCHAR, present BOOLEAN, complete BOOLEAN, clock_error_ns BIGINT, watermark_seq BIGINT, last_read_seq BIGINT
)
"""

INSERT_DECLARED_FULFILMENT = "INSERT INTO declared_fulfilment VALUES (?, ?, ?, ?, ?, ?)"

FULFILMENT = """
CREATE TABLE fulfilment AS               -- one row a declared source of releases
WITH counted AS (
    SELECT source, count(*) AS rows, min(seq) AS first_seq, max(seq) AS last_seq,
           max(seq) - min(seq) + 1 - count(DISTINCT seq) AS gaps, count(*) - count(DISTINCT seq) AS repeated
    FROM releases GROUP BY source)
SELECT d.source, d.clock_error_ns, coalesce(d.watermark_seq, 0) AS watermark_seq, coalesce(c.rows, 0) AS rows,
       unsound(d.present, d.complete, d.watermark_seq, c.first_seq, c.last_seq, c.gaps, c.repeated,
               d.last_read_seq) AS unsound           -- the macro of `money`
FROM declared_fulfilment AS d LEFT JOIN counted AS c USING (source) ORDER BY d.source
"""

ORDER_RELEASES = """
CREATE TABLE order_releases AS           -- one row a release that took effect
SELECT r.order_id, o.order_no,                       -- NULL: an order that no other source names
       r.source, r.seq, r.at_ns, r.line, r.note,
       f.clock_error_ns,
       coalesce(r.at_ns < (SELECT books_begin_ns FROM limits), false) AS before_books
FROM releases AS r JOIN fulfilment AS f USING (source) LEFT JOIN orders AS o USING (order_id)
WHERE r.kind = 'released' AND r.seq > f.watermark_seq
  AND (r.run IS NULL OR r.run = (SELECT run_id FROM limits) OR o.journey IS NOT NULL)
ORDER BY r.source, r.seq
"""

RELEASE_TABLES = (FULFILMENT, ORDER_RELEASES)
"""In the order in which they are defined, after those of `money`."""
