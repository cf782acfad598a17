from rowlock.management.subcommands import api_token, bulk, dead, listing, prune, relay, republish, show, submit, watch

SUBCOMMANDS = (
    submit.SUBCOMMAND,
    listing.SUBCOMMAND,
    show.SUBCOMMAND,
    bulk.RETRY,
    bulk.CANCEL,
    watch.SUBCOMMAND,
    relay.SUBCOMMAND,
    prune.SUBCOMMAND,
    republish.SUBCOMMAND,
    dead.SUBCOMMAND,
    api_token.SUBCOMMAND,
)
