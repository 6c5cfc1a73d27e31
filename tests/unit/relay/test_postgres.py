"""What is only so with a server of its own."""

import pytest
from sqlalchemy import create_engine, text

from .test_store import add


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_connections_that_the_server_has_ended(store, server):
    """As by a restart: those that the pool keeps are tried before they are used."""
    add(store, 1)
    engine = create_engine(server)
    with engine.begin() as connection:
        others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        assert connection.execute(text(f"SELECT count(pg_terminate_backend(pid)) {others}")).scalar_one() >= 1
    engine.dispose()

    add(store, 2)

    assert len(store.orders()) == 2
