//! The tables, and what is in them.

use tokio_postgres::NoTls;

use crate::args;

const TABLES: &str = "
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
CREATE TABLE products (id int PRIMARY KEY, sku text NOT NULL, name text NOT NULL, category int NOT NULL,
    price_cents int NOT NULL, description text NOT NULL);
CREATE TABLE stock (sku text PRIMARY KEY, sold bigint NOT NULL DEFAULT 0);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku text NOT NULL, price_cents int NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT now(), done_at timestamptz);
CREATE INDEX orders_open ON orders (placed_at) WHERE done_at IS NULL;
CREATE TABLE shipments (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint NOT NULL, sku text NOT NULL);
-- It asks another server, which takes its time.
CREATE FUNCTION similar_products(wanted text) RETURNS TABLE (sku text, name text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(0.04);
    RETURN QUERY SELECT p.sku, p.name FROM products p WHERE p.id BETWEEN hashtext(wanted) & 65535 AND (hashtext(wanted) & 65535) + 4;
END $$;
";

pub(crate) async fn run(options: args::Setup) -> anyhow::Result<()> {
    let (client, connection) = tokio_postgres::connect(&options.database, NoTls).await?;
    let driver = tokio::spawn(connection);
    client.batch_execute(TABLES).await?;
    let fill = "INSERT INTO products SELECT n, 'sku-' || n, 'Product ' || n, n % 500, 100 + n % 9000,
        repeat(md5(n::text), 4) FROM generate_series(1, $1::int) n";
    client.execute(fill, &[&options.products]).await?;
    client.execute("INSERT INTO stock SELECT sku FROM products WHERE id <= 20000", &[]).await?;
    client
        .batch_execute(
            "CREATE INDEX products_sku ON products (sku); CREATE INDEX products_category ON products (category, id);
             ANALYZE products; ANALYZE stock;",
        )
        .await?;
    drop(client);
    driver.await??;
    Ok(())
}
