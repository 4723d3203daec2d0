"""All SQL of Threadwise: the embedded server, migrations, and one file per noun; frozen records in and out."""
