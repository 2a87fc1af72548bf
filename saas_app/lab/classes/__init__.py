"""Classes of the lab: a teacher starts one, learners join, and the class talks about what it predicted."""
