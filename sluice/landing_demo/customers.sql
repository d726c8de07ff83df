-- The customer list as the shop exports it every night: everybody, newest last.
SELECT string_agg(line, chr(10) ORDER BY customer_id, again) AS body
FROM (
    SELECT customer_id, again, CASE CASE WHEN customer_id % $bad_every = $bad_at AND NOT again THEN customer_id // $bad_every % 6 ELSE -1 END
        WHEN 0 THEN concat_ws(',', customer_id, name, email, country, segment, signed_up_on, credit_limit)
        WHEN 1 THEN concat_ws(',', customer_id, name, email, country, segment, '2024-02-31', credit_limit, note)
        WHEN 2 THEN concat_ws(',', customer_id, name, email, country, 'vip?', signed_up_on, credit_limit, note)
        WHEN 3 THEN concat_ws(',', '', name, email, country, segment, signed_up_on, credit_limit, note)
        WHEN 4 THEN concat_ws(',', customer_id, name, email, country, segment, signed_up_on, 'plenty', note)
        WHEN 5 THEN concat_ws(',', customer_id, name, 'no email', country, segment, signed_up_on, credit_limit, note)
        ELSE concat_ws(',', customer_id, name, email, country, segment, signed_up_on, credit_limit, note)
    END AS line
    FROM (
        SELECT c AS customer_id, again, csv_field(first_name(c) || ' ' || last_name(c)) AS name,
            format('customer{}@{}', c, one_of(['example.com', 'example.org', 'mail.example.net'], 'mail', c)) AS email,
            customer_country(c) AS country, one_of(['consumer', 'consumer', 'consumer', 'business', 'partner'], 'segment', c) AS segment,
            CAST(CAST($day AS DATE) - to_days(CAST(power($customers - c, 0.9) AS INTEGER)) AS DATE) AS signed_up_on,
            CAST(100 * (1 + pick(50, 'credit', c)) AS DECIMAL(12, 2)) AS credit_limit, csv_field(note('customer note', c)) AS note
        FROM (
            SELECT c, FALSE AS again FROM range(1, $customers + 1) AS numbers(c)
            UNION ALL
            SELECT c, TRUE AS again FROM range(1, $customers + 1) AS numbers(c) WHERE c % $again_every = $again_at
        )
    )
);
