//! The fixed shop: edge → catalog (PostgreSQL, Redis), cart (Redis), checkout → pricing, inventory (PostgreSQL), payment →
//! an outside provider; checkout → RabbitMQ → fulfil (PostgreSQL).

use bottleneck::NodeType::{Database, External, Messaging, Service};

use super::Step::{All, One};
use super::{Step, Topology};

/// Nodes by role.
struct Nodes {
    postgres: usize,
    redis: usize,
    rabbit: usize,
    provider: usize,
    edge: usize,
    catalog: usize,
    cart: usize,
    checkout: usize,
    pricing: usize,
    inventory: usize,
    payment: usize,
    fulfil: usize,
}

/// The shop; `is_blind`: a gateway without spans stands between edge and catalog.
pub(crate) fn shop(is_blind: bool) -> Topology {
    let mut made = Topology::default();
    let t = &mut made;
    let nodes = nodes(t);
    let submit = orders(t, &nodes);
    let [products, product, basket] = reads(t, &nodes);
    let [products, product] = if is_blind {
        let host = t.host_named("host-c");
        let gateway = t.node("gateway", Service, &[host]);
        t.nodes[gateway].is_blind = true;
        [(products, "GET /products"), (product, "GET /products/{sku}")].map(|(endpoint, name)| {
            let calls = vec![One(t.rpc(gateway, endpoint))];
            t.endpoint(gateway, name, 1.0, calls)
        })
    } else {
        [products, product]
    };
    let edge = nodes.edge;
    let mut entry = |name, share, callees: &[usize]| {
        let calls: Vec<Step> = callees.iter().map(|callee| One(t.rpc(edge, *callee))).collect();
        let endpoint = t.endpoint(edge, name, 3.0, calls);
        t.entry(endpoint, share);
    };
    entry("GET /products", 0.3, &[products]);
    entry("GET /products/{sku}", 0.25, &[product]);
    entry("GET /cart", 0.2, &[basket]);
    entry("POST /orders", 0.25, &[basket, submit]);
    made
}

fn nodes(t: &mut Topology) -> Nodes {
    let [front, prices, store, pay, db, cache] =
        [("host-a", 4), ("host-b", 1), ("host-c", 4), ("host-d", 4), ("db-1", 4), ("db-2", 2)]
            .map(|(name, cores)| t.host(name, cores));
    let nodes = Nodes {
        postgres: t.node("postgresql/shop", Database, &[db]),
        redis: t.node("redis/0", Database, &[cache]),
        rabbit: t.node("rabbitmq", Messaging, &[cache]),
        provider: t.node("charge.example", External, &[]),
        edge: t.node("edge", Service, &[front, front]),
        catalog: t.node("catalog", Service, &[store]),
        cart: t.node("cart", Service, &[front, front]),
        checkout: t.node("checkout", Service, &[store, store]),
        pricing: t.node("pricing", Service, &[prices]),
        inventory: t.node("inventory", Service, &[pay]),
        payment: t.node("payment", Service, &[pay, pay]),
        fulfil: t.node("fulfil", Service, &[pay]),
    };
    t.nodes[nodes.fulfil].workers = 4;
    nodes
}

/// What `POST /orders` does; its endpoint of checkout.
fn orders(t: &mut Topology, nodes: &Nodes) -> usize {
    let Nodes { postgres, inventory, fulfil, checkout, payment, .. } = *nodes;
    let stock = "UPDATE stock SET reserved = reserved + $2 WHERE sku = $1";
    let stock = t.statement(postgres, stock, "stock", (1.5, 1.0, 1.0));
    let free = t.statement(postgres, "SELECT free FROM stock WHERE sku = $1", "stock", (0.8, 0.1, 1.0));
    let shipped = "INSERT INTO shipments (order_id, at) VALUES ($1, now())";
    let shipped = t.statement(postgres, shipped, "shipments", (1.5, 1.0, 1.0));
    let calls = vec![One(t.query(fulfil, shipped))];
    let process = t.endpoint(fulfil, "process orders", 20.0, calls);
    let price = t.endpoint(nodes.pricing, "POST /price", 45.0, vec![]);
    let calls = vec![One(t.query(inventory, free)), One(t.query(inventory, stock))];
    let reserve = t.endpoint(inventory, "POST /reserve", 4.0, calls);
    let calls = vec![One(t.outside(payment, nodes.provider, "POST /charges", 45.0))];
    let charge = t.endpoint(payment, "POST /charge", 4.0, calls);
    let both = All(vec![t.rpc(checkout, price), t.rpc(checkout, reserve)]);
    let calls = vec![both, One(t.rpc(checkout, charge)), One(t.publish(checkout, nodes.rabbit, process))];
    t.endpoint(checkout, "POST /orders", 9.0, calls)
}

/// What is only read: products, one product, the basket.
fn reads(t: &mut Topology, nodes: &Nodes) -> [usize; 3] {
    let Nodes { postgres, redis, catalog, cart, .. } = *nodes;
    let by_sku = "SELECT sku, name, price_cents FROM products WHERE sku = $1";
    let by_sku = t.statement(postgres, by_sku, "products", (1.2, 0.1, 1.0));
    let list = "SELECT sku, name, price_cents FROM products WHERE category = $1 ORDER BY sku LIMIT 30";
    let list = t.statement(postgres, list, "products", (60.0, 1.0, 30.0));
    let similar = "SELECT sku, name FROM similar_products($1)";
    let similar = t.statement(postgres, similar, "similar_products", (22.0, 0.2, 5.0));
    let miss = vec![t.query(catalog, similar)];
    let calls = vec![One(t.query(catalog, by_sku)), One(t.lookup(catalog, redis, miss))];
    let product = t.endpoint(catalog, "GET /products/{sku}", 3.0, calls);
    let calls = vec![One(t.query(catalog, list))];
    let products = t.endpoint(catalog, "GET /products", 8.0, calls);
    let calls = vec![One(t.lookup(cart, redis, vec![]))];
    let basket = t.endpoint(cart, "GET /cart", 3.0, calls);
    [products, product, basket]
}
