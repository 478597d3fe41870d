"""What a first run on a GPU asks beside the report; the README says why."""
