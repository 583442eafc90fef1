//! Users over changes and restarts, and the last of those who may do everything.

use super::*;
use meta::SqliteMeta;

async fn open(dir: &tempfile::TempDir) -> Users {
    let meta: Arc<dyn Meta> = Arc::new(SqliteMeta::open(&dir.path().join("meta.db")).unwrap());
    let tenants = ["default", "acme"].map(|name| TenantId::new(name).unwrap());
    Users::open(meta, tenants.into()).await.unwrap()
}

async fn create(users: &Users, name: &str, roles: Roles) -> Result<User, AccountError> {
    users.create(name, "hash".to_owned(), roles, 5).await
}

fn of_acme(role: Role) -> Roles {
    Roles([("acme".to_owned(), role)].into())
}

#[tokio::test]
async fn a_user_is_the_same_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let users = open(&dir).await;
    let jo = create(&users, "jo@example.org", of_acme(Role::Editor)).await.unwrap();
    assert!(matches!(create(&users, "jo@example.org", Roles::default()).await, Err(AccountError::Exists(_))));
    let users = open(&dir).await;
    assert_eq!(users.all(), [jo]);
    let known = users.get("jo@example.org").unwrap();
    let acme = TenantId::new("acme").unwrap();
    assert_eq!(&*known.access, [Access { tenant: acme, role: Role::Editor }]);
}

#[tokio::test]
async fn a_change_draws_a_generation_and_no_change_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let users = open(&dir).await;
    create(&users, "root", Roles::everywhere(Role::Admin)).await.unwrap();
    create(&users, "jo", of_acme(Role::Viewer)).await.unwrap();
    let generation = || users.get("jo").unwrap().generation;
    let mut before = generation();
    type Change = fn(&mut Kept);
    let cases: [(Change, bool); 5] = [
        (|_| {}, false),
        (|kept| kept.disabled = false, false),
        (|kept| kept.disabled = true, true),
        (|kept| kept.roles = of_acme(Role::Editor), true),
        (|kept| kept.password_hash = "another".to_owned(), true),
    ];
    for (index, (change, ends)) in cases.into_iter().enumerate() {
        users
            .change("jo", |_, kept| {
                change(kept);
                Ok(())
            })
            .await
            .unwrap();
        assert_eq!(generation() != before, ends, "case {index}");
        before = generation();
    }
}

#[tokio::test]
async fn somebody_who_may_do_everything_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let users = open(&dir).await;
    create(&users, ADMIN, Roles::everywhere(Role::Admin)).await.unwrap();
    create(&users, "jo", of_acme(Role::Admin)).await.unwrap();
    let disable = |name: &'static str| {
        users.change(name, |_, kept| {
            kept.disabled = true;
            Ok(())
        })
    };
    let demote = |name: &'static str| {
        users.change(name, |_, kept| {
            kept.roles = of_acme(Role::Viewer);
            Ok(())
        })
    };
    assert!(matches!(disable(ADMIN).await, Err(AccountError::LastAdmin(_))));
    assert!(matches!(demote(ADMIN).await, Err(AccountError::LastAdmin(_))));
    create(&users, "root", Roles::everywhere(Role::Admin)).await.unwrap();
    assert!(matches!(demote(ADMIN).await, Err(AccountError::Fixed(_))), "the first one keeps its role");
    assert!(matches!(users.remove(ADMIN).await, Err(AccountError::Fixed(_))));
    disable(ADMIN).await.unwrap();
    for outcome in
        [disable("root").await.map(drop), demote("root").await.map(drop), users.remove("root").await]
    {
        assert!(matches!(outcome, Err(AccountError::LastAdmin(_))), "{outcome:?}");
    }
    users.remove("jo").await.unwrap();
    assert!(matches!(users.remove("jo").await, Err(AccountError::Unknown { .. })));
    assert_eq!(open(&dir).await.all().len(), 2);
}

#[tokio::test]
async fn names_are_kept_to_what_cannot_be_mistaken() {
    let dir = tempfile::tempdir().unwrap();
    let users = open(&dir).await;
    for name in ["", "Admin", "a b", "a/b", "../x", "a=b", "-a", "@a", "ä", "token:x", "x\n", &"a".repeat(65)]
    {
        let outcome = create(&users, name, Roles::default()).await;
        assert!(matches!(outcome, Err(AccountError::Invalid(_))), "{name:?}");
    }
    for name in ["a", "9", "a.b_c-d@e.f", &"a".repeat(64)] {
        create(&users, name, Roles::default()).await.unwrap();
    }
}
