"""The command that runs a relay."""

from __future__ import annotations

import logging

import click

from perennial.keeper.where import locate, network_option, node_option
from perennial.shell import AT_ALL, COUNT, PORT, Command, examples


@click.command(
    cls=Command,
    context_settings={"show_default": True},
    epilog=examples(
        "relay --network base-sepolia --node https://…",
        "relay --network base-sepolia --node https://… --market BTC-USD --host 0.0.0.0 --proxies 1",
    ),
)
@network_option
@node_option
@click.option("--market", "markets", multiple=True, help="Market by name or address; several. All if missing.")
@click.option(
    "--database",
    default="sqlite:///relay.db",
    envvar="PERENNIAL_RELAY_DATABASE",
    help="SQLite file, or postgresql+psycopg://…, as SQLAlchemy has it.",
)
@click.option("--host", default="127.0.0.1", help="Address to listen at.")
@click.option("--port", default=8000, type=PORT, help="Port to listen at.")
@click.option("--confirmations", default=0, type=COUNT, help="Blocks that must follow one before its fills are booked.")
@click.option("--follow", default=1.0, type=AT_ALL, help="Seconds between looks at the chain.")
@click.option("--reads", default=50.0, type=AT_ALL, help="Requests a second of one client that read.")
@click.option("--writes", default=10.0, type=AT_ALL, help="Requests a second of one client that write.")
@click.option("--burst", default=100, type=click.IntRange(1), help="Requests at once of one client after a pause.")
@click.option("--proxies", default=0, type=COUNT, help="Trusted proxies in front, which add to X-Forwarded-For.")
def relay(
    network: str | None,
    node: str | None,
    markets: tuple[str, ...],
    database: str,
    host: str,
    port: int,
    confirmations: int,
    follow: float,
    reads: float,
    writes: float,
    burst: int,
    proxies: int,
) -> None:
    """Runs a relay of signed intents: takes them, keeps the book, tells who asks. It holds no keys.

    Its API is described at /docs and /openapi.json.
    """
    # Here, since they take a second to import.
    import uvicorn
    from sqlalchemy.exc import SQLAlchemyError

    from perennial.chain import NodeAddressError
    from perennial.relay.app import LONGEST_END, create_app
    from perennial.relay.intake import Intake
    from perennial.relay.limits import Quota
    from perennial.relay.store import Store, StoreError, why
    from perennial.relay.view import NodeView
    from perennial.relay.watcher import Watcher

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    where = locate(network, node, markets, None)
    try:
        store = Store(database)
    except (ImportError, SQLAlchemyError) as error:
        raise click.ClickException(f"the database cannot be used: {why(error)}") from error
    try:
        view = NodeView(where.node, [address for _, address in where.markets])
        store.belong_to(view.protocol())
    except NodeAddressError:
        raise
    except (ValueError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    except SQLAlchemyError as error:
        raise click.ClickException(f"the database cannot be used: {why(error)}") from error
    intake = Intake(view.domain, view.markets, view, store)
    quota = Quota(reads=reads, writes=writes, burst=burst, proxies=proxies)
    app = create_app(intake, Watcher(store, view, confirmations), quota, follow=follow)
    try:
        # Listeners have nothing to say; proxies are Quota's business, which does not believe what clients write.
        uvicorn.run(
            app,
            host=host,
            port=port,
            ws="websockets-sansio",
            ws_max_size=1024,
            proxy_headers=False,
            timeout_graceful_shutdown=LONGEST_END,
        )
    finally:
        view.close()
        store.close()
