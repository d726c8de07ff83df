-- Chance and words for every demo query: each value is a function of (seed, what it is for, which record), so that any
-- one object can be generated without the others.
CREATE MACRO pick(n, salt, i) AS CAST(hash(getvariable('seed'), salt, i) % n AS BIGINT);
CREATE MACRO chance(salt, i) AS pick(1000000, salt, i) / 1000000.0;
CREATE MACRO one_of(words, salt, i) AS words[1 + pick(len(words), salt, i)];

CREATE MACRO customer_country(c) AS
    ['DE', 'DE', 'DE', 'DE', 'GB', 'GB', 'FR', 'FR', 'PL', 'PL', 'SE', 'US', 'US', 'JP', 'BR'][1 + pick(15, 'country', c)];
CREATE MACRO city_in(country, salt, i) AS one_of(map {
    'DE': ['Berlin', 'Hamburg', 'München', 'Köln', 'Düsseldorf', 'Görlitz'],
    'GB': ['London', 'Leeds', 'Bishop''s Stortford', 'Glasgow'],
    'FR': ['Paris', 'Lyon', 'L''Haÿ-les-Roses', 'Besançon'],
    'PL': ['Warszawa', 'Łódź', 'Kraków', 'Wrocław'],
    'SE': ['Stockholm', 'Göteborg', 'Malmö'],
    'US': ['New York', 'Austin', 'Cañon City', 'Portland'],
    'JP': ['東京', '大阪', '札幌'],
    'BR': ['São Paulo', 'Recife', 'Brasília']
}[country], salt, i);
CREATE MACRO currency_in(country) AS
    map {'DE': 'EUR', 'FR': 'EUR', 'GB': 'GBP', 'PL': 'PLN', 'SE': 'SEK', 'US': 'USD', 'JP': 'JPY', 'BR': 'BRL'}[country];

CREATE MACRO first_name(c) AS one_of([
    'Anna', 'Zoë', 'José', 'Łukasz', 'Mehmet', 'Yuki', 'Søren', 'Chloé', 'Aisha', 'Marek', 'Ngọc', 'Наталья', 'Li', 'Grace',
    'Anaïs', 'Jürgen', 'Oluwaseun', 'Priya', 'Miguel', 'Ingrid', 'Tom', 'Eve', 'Björk', 'Daniel', 'Fatima'], 'first', c);
CREATE MACRO last_name(c) AS one_of([
    'Smith', 'Müller', 'García', 'Kowalski', '中村', 'Østergård', 'de la Cruz', 'O''Brien', 'Öztürk', 'Nguyễn', 'Иванова', 'Silva',
    'Andersson', 'Dubois', 'Schmidt', 'Jones', 'Rossi', 'Papadopoulos', 'Kim', 'Haddad', 'van den Berg', 'Weiß'], 'last', c);

-- Text that breaks careless readers: quotes, line breaks, delimiters, emoji.
CREATE MACRO note(salt, i) AS CASE WHEN chance(salt, i) < 0.85 THEN NULL ELSE one_of([
    'Leave it with the neighbour, please.', 'Ring twice; the bell is "shy".', 'Gift wrap 🎁', E'Second floor,\nleft door',
    'Call before 9:00, not after', E'She said: "no, thanks"\r\nand hung up', 'naïve café; Straße 5', ' ', 'N/A', E'C:\\new\\table'
], salt || '?', i) END;

-- A field as RFC 4180 writes it; NULL is the empty field.
CREATE MACRO csv_field(v) AS coalesce(CASE
    WHEN regexp_matches(CAST(v AS VARCHAR), '[",\n\r]') THEN '"' || replace(CAST(v AS VARCHAR), '"', '""') || '"'
    ELSE CAST(v AS VARCHAR) END, '');
