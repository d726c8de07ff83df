-- The card payments of one day's orders, by file. Some are sent twice, as payment providers do.
SELECT file, string_agg(line, chr(10) ORDER BY payment, again) AS body
FROM (
    SELECT file, payment, again, CASE CASE WHEN payment % $bad_every = $bad_at AND NOT again THEN payment // $bad_every % 6 ELSE -1 END
        WHEN 0 THEN concat_ws(',', payment_id, order_id, paid_at, method, -amount, fee, fraud_flag)
        WHEN 1 THEN concat_ws(',', payment_id, order_id, paid_at, method, amount, fee)
        WHEN 2 THEN concat_ws(',', payment_id, order_id, paid_at, 'cheque', amount, fee, fraud_flag)
        WHEN 3 THEN concat_ws(',', payment_id, order_id, 'yesterday', method, amount, fee, fraud_flag)
        WHEN 4 THEN concat_ws(',', payment_id, order_id, paid_at, method, amount, fee, 'maybe')
        WHEN 5 THEN concat_ws(',', '', order_id, paid_at, method, amount, fee, fraud_flag)
        ELSE concat_ws(',', payment_id, order_id, paid_at, method, amount, fee, fraud_flag)
    END AS line
    FROM (
        SELECT i // $paid_every AS payment, deliveries.again, CAST(payment * $files // $payments AS INTEGER) AS file,
            'P' || CAST(order_id AS VARCHAR) AS payment_id, order_id,
            strftime(ordered_at + to_seconds(20 + pick(300, 'paid', order_id)), '%Y-%m-%dT%H:%M:%SZ') AS paid_at,
            one_of(['card', 'card', 'card', 'paypal', 'transfer', 'voucher'], 'method', order_id) AS method,
            amount, round(0.25 + 0.014 * CAST(amount AS DOUBLE), 4) AS fee, chance('fraud', order_id) < 0.004 AS fraud_flag
        FROM orders, (VALUES (FALSE), (TRUE)) AS deliveries(again)
        WHERE NOT orders.again AND i % $paid_every = 0
            AND (NOT deliveries.again OR i // $paid_every % $again_every = $again_at)
    )
)
GROUP BY file ORDER BY file;
