-- Each table is named plainly and shows only the rows of the partition that is being built.
WITH counted_orders AS (
    SELECT customer_id, currency, amount
    FROM orders
    WHERE status <> 'cancelled'
)

SELECT
    coalesce(customers.country, '??') AS country,
    counted_orders.currency,
    count(*) AS orders,
    count(DISTINCT counted_orders.customer_id) AS customers,
    sum(counted_orders.amount) AS revenue
FROM counted_orders
LEFT JOIN customers USING (customer_id)
GROUP BY ALL
