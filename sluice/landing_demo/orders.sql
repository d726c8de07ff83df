-- One day of orders, busier towards the evening: one row per line of JSON, with the number of the file it is in.
CREATE OR REPLACE TEMP TABLE orders AS
WITH numbered AS (
    SELECT i, $first_order + i AS order_id, 1 + CAST(floor($customers * power(chance('customer', $first_order + i), 2)) AS BIGINT) AS customer_id,
        CAST($day AS TIMESTAMP) + to_seconds(CAST(floor(86400 * power(i / $orders, 0.7)) AS BIGINT)) AS ordered_at
    FROM range($orders) AS numbers(i)
),
placed AS (
    SELECT *, customer_country(customer_id) AS country,
        list_transform(range(1 + pick(3, 'items', order_id)), lambda j: struct_pack(
            sku := format('SKU-{:05d}', 100 * order_id % 97 + pick(4000, 'sku', order_id * 8 + j)),
            quantity := 1 + CAST(floor(3 * power(chance('quantity', order_id * 8 + j), 4)) AS INTEGER),
            price := CAST(1.99 + round(90 * power(chance('price', order_id * 8 + j), 3), 1) AS DECIMAL(10, 2)))) AS items
    FROM numbered
),
stated AS (
    SELECT *, CAST(list_sum(list_transform(items, lambda item: item.quantity * item.price)) AS DECIMAL(12, 2)) AS amount,
        one_of(['placed', 'paid', 'paid', 'paid', 'shipped', 'shipped', 'delivered', 'cancelled'], 'status', order_id) AS status,
        ordered_at + to_seconds(60 + pick(5400, 'updated', order_id)) AS updated_at
    FROM placed
),
deliveries AS (
    SELECT CAST(i * $files // $orders AS INTEGER) AS file, i, FALSE AS again, stated.* EXCLUDE (i) FROM stated
    UNION ALL BY NAME
    -- The shop sends some orders again when their state has changed: same key, later updated_at, in the last file.
    SELECT $files - 1 AS file, i, TRUE AS again,
        stated.* EXCLUDE (i) REPLACE ('delivered' AS status, updated_at + INTERVAL 3 HOUR AS updated_at)
    FROM stated WHERE i % $again_every = $again_at
),
written AS (
    SELECT file, i, again, order_id, customer_id, amount, ordered_at, CAST(to_json(struct_pack(
        order_id := order_id, customer_id := customer_id, ordered_at := strftime(ordered_at, '%Y-%m-%dT%H:%M:%SZ'),
        updated_at := strftime(updated_at, '%Y-%m-%dT%H:%M:%S.%gZ'), status := status, amount := amount,
        currency := currency_in(country),
        shipping := struct_pack(country := country, city := city_in(country, 'city', customer_id), express := chance('express', order_id) < 0.2),
        items := items, note := note('order note', order_id))) AS VARCHAR) AS line
    FROM deliveries
)
SELECT file, i, again, order_id, amount, ordered_at,
    CASE CASE WHEN i % $bad_every = $bad_at AND NOT again THEN i // $bad_every % 15 ELSE -1 END
        WHEN 0 THEN left(line, length(line) // 2)
        WHEN 1 THEN left(line, -1) || ',}'
        WHEN 2 THEN regexp_replace(line, '"amount":[0-9.]+', '"amount":NaN')
        WHEN 3 THEN regexp_replace(line, '"order_id":([0-9]+)', '"order_id":"A-\1"')
        WHEN 4 THEN regexp_replace(line, '"status":"[a-z]+"', '"status":"lost"')
        WHEN 5 THEN regexp_replace(line, '"customer_id":[0-9]+,', '')
        WHEN 6 THEN regexp_replace(line, '"ordered_at":"[^"]+"', '"ordered_at":"2026-02-30T10:00:00Z"')
        WHEN 7 THEN replace(line, '"amount":', '"amount":-')
        WHEN 8 THEN regexp_replace(line, '"amount":[0-9.]+', '"amount":19.999')
        WHEN 9 THEN '[' || line || ']'
        WHEN 10 THEN regexp_replace(line, '"currency":"[A-Z]+"', '"currency":"euro"')
        WHEN 11 THEN regexp_replace(line, '"country":"[A-Z]+"', '"country":null')
        WHEN 12 THEN regexp_replace(line, '"quantity":[0-9]+', '"quantity":99999999999')
        WHEN 13 THEN regexp_replace(line, '("ordered_at":"[^"]+)Z"', '\1"')
        WHEN 14 THEN '{"order_id":0,' || substr(line, 2)
        ELSE line
    END AS line
FROM written;
