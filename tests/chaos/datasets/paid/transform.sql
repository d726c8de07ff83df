SELECT shop, count(*) AS orders, sum(amount) AS amount, coalesce(sum(paid), 0) AS paid
FROM orders
LEFT JOIN payments USING (order_id)
GROUP BY shop
