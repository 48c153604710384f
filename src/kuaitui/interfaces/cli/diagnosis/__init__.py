"""What `kuaitui doctor` looks at: each check answers with a finding and, if it is bad, a remedy."""
