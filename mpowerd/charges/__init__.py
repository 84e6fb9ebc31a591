"""What an officer raises against a consumer: demand notes, sundry charges, assessments, plans."""
