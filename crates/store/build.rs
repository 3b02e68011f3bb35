//! Builds the crate anew when a migration is added: the files are embedded by `sqlx::migrate!`.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations/postgres");
    println!("cargo:rerun-if-changed=../../migrations/sqlite");
}
