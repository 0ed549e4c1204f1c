"""What scripts/evaluate is made of: real packages, one table per rule, and checks of what apply makes of them."""
