SELECT shop, sum(amount) AS total FROM sales GROUP BY shop
