"""The screen: pages for those who run Threadwise, in a browser, on the bot's HTTP port."""
