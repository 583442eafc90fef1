"""A shop's front: asks a database which products there are and the cart service what is in the cart.

Nothing here knows of tracing: `opentelemetry-instrument` starts it.
"""

import os

import flask
import psycopg2
import requests

app = flask.Flask(__name__)


@app.get("/checkout/<int:cart>")
def checkout(cart):
    with psycopg2.connect(os.environ["FRONT_DATABASE"]) as database, database.cursor() as cursor:
        cursor.execute("SELECT name FROM products ORDER BY name")
        products = [name for (name,) in cursor.fetchall()]
    answer = requests.get(f"{os.environ['FRONT_CART']}/cart/{cart}", timeout=10)
    if answer.status_code != 200:
        return {"error": answer.json()["error"]}, 502
    return {"products": products, "items": answer.json()["items"]}


@app.get("/ready")
def ready():
    return "yes"


if __name__ == "__main__":
    app.run(port=int(os.environ["FRONT_PORT"]))
