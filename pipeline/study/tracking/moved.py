"""A database that was copied or moved with its checkout, and its artifacts with it.

MLflow keeps whole paths. In a copy they lead to the artifacts of the original, which
are not for the copy to write.
"""

from pipeline.study.tracking.address import ARTIFACTS, artifact_location, is_in_checkout


def follow(uri: str, location: str) -> None:
    """Let experiments that keep artifacts at this location keep them in the checkout.

    Nothing happens unless the database is in this checkout, and the location is that
    of the artifacts of another.
    """
    here = artifact_location(uri).as_uri()
    if (
        not is_in_checkout(uri)
        or location == here
        or not location.startswith("file:")
        or not location.endswith(f"/{ARTIFACTS}")
    ):
        return
    import sqlalchemy

    engine = sqlalchemy.create_engine(uri)
    paths = {"there": location, "here": here}
    with engine.begin() as connection:
        for statement in (
            "UPDATE experiments SET artifact_location = :here "
            "WHERE artifact_location = :there",
            "UPDATE runs SET artifact_uri = "
            "replace(artifact_uri, :there || '/', :here || '/')",
        ):
            connection.execute(sqlalchemy.text(statement), paths)
    engine.dispose()
